/** Watching from elsewhere, said as it is: nothing leaves the house, and one way to look in that works today. */
import { House } from 'lucide-react';
import type { ReactNode } from 'react';
import './away.css';

export function Away(): ReactNode {
  return (
    <div className="page away">
      <div className="away-head">
        <House size={40} strokeWidth={1.4} aria-hidden="true" />
        <div>
          <h1>Your footage stays at home</h1>
          <p className="muted">Porchlight sends nothing anywhere: no cloud, no account, no telemetry. Nobody is watching from away, and nobody can.</p>
        </div>
      </div>
      <section className="card">
        <h2>Looking in through your own tunnel</h2>
        <p className="muted">If you use Tailscale or WireGuard, Porchlight works through it as it is:</p>
        <ol>
          <li>
            Start Porchlight on the computer at home so that your other devices may reach it: <code>npm start -- --serve --listen 0.0.0.0</code>. The first time it asks for a password there; it shows the fingerprint of its certificate.
          </li>
          <li>Connect your phone or laptop to your tunnel.</li>
          <li>Open the printed address there, compare the fingerprint once, and type the password.</li>
        </ol>
        <p className="muted">The tunnel’s maker sees that your devices talk to each other, not what they say.</p>
      </section>
      <section className="card">
        <h2>What is to come</h2>
        <p className="muted">A relay that carries your pictures sealed and can open none of them. It is not part of this version, so there is nothing here to switch on yet.</p>
      </section>
    </div>
  );
}
