/** The page's start: one engine client, and the interface over it. */
import '@fontsource-variable/inter/index.css';
import './styles/tokens.css';
import './styles/base.css';
import './components/overlays.css';
import './components/components.css';
import './styles/frame.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { connectToEngine } from './api/connect.ts';
import { EngineClient } from './api/engine-client.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no root');
createRoot(root).render(
  <StrictMode>
    <App client={new EngineClient({ connect: connectToEngine })} />
  </StrictMode>,
);
