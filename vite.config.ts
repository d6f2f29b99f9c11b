import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The interface: one page, served by the app's own scheme or by serve mode. */
export default defineConfig({
  root: 'renderer',
  base: './',
  plugins: [react()],
  build: { outDir: '../dist/renderer', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
});
