/** What may be set for the whole program, and what there is to know about it. */
import { ToggleGroup } from 'radix-ui';
import { type ReactNode, useEffect, useState } from 'react';
import type { AppInfo } from '../../../shared/contract/engine-api.ts';
import type { Settings as SettingsModel } from '../../../shared/model/settings.ts';
import { shell } from '../../api/connect.ts';
import { useCommand, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { Setting, SwitchSetting } from '../../components/Setting.tsx';
import { CheckCard } from './CheckCard.tsx';
import { TakeAlong } from './TakeAlong.tsx';
import './settings.css';

export function Settings(): ReactNode {
  const settings = useQuery('settings.get', {});
  const info = useQuery('app.info', {});
  const check = useQuery('check.state', {});
  const save = useCommand('settings.set');
  useEngineEvent('settings.changed', settings.refresh);
  useEngineEvent('app.changed', info.refresh);
  // All at once: a card that comes later would move those below it.
  if (settings.data === null || info.data === null || (check.data === null && check.error === null)) return null;
  const set = (patch: Partial<SettingsModel>): void => void save.run({ ...patch, ...(patch.searchInterfaces === undefined ? {} : { searchInterfaces: [...patch.searchInterfaces] }) } as Parameters<typeof save.run>[0]).then(settings.refresh);
  return (
    <div className="page settings">
      <h1>Settings</h1>
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
      <section className="card">
        <h2>This home</h2>
        <TextSetting title="Name" value={settings.data.homeName} onSave={(homeName) => set({ homeName })} />
        <Setting title="Look">
          <ToggleGroup.Root className="choices" type="single" aria-label="Look" value={settings.data.theme} onValueChange={(theme) => theme !== '' && set({ theme: theme as SettingsModel['theme'] })}>
            <ToggleGroup.Item value="system">As the system</ToggleGroup.Item>
            <ToggleGroup.Item value="dark">Dark</ToggleGroup.Item>
            <ToggleGroup.Item value="light">Light</ToggleGroup.Item>
          </ToggleGroup.Root>
        </Setting>
      </section>
      <Computer settings={settings.data} onSet={set} />
      <Ffmpeg settings={settings.data} info={info.data} onSet={set} />
      {check.data === null ? null : <CheckCard asked={check.data} />}
      <TakeAlong />
      <About info={info.data} />
    </div>
  );
}

function TextSetting({ title, value, onSave }: { readonly title: string; readonly value: string; readonly onSave: (value: string) => void }): ReactNode {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const finish = (): void => {
    if (draft.trim() !== '' && draft !== value) onSave(draft.trim());
    else setDraft(value);
  };
  return (
    <Setting title={title}>
      <input className="input short" aria-label={title} maxLength={60} value={draft} onChange={(event) => setDraft(event.target.value)} onBlur={finish} onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()} />
    </Setting>
  );
}

function Computer({ settings, onSet }: { readonly settings: SettingsModel; readonly onSet: (patch: Partial<SettingsModel>) => void }): ReactNode {
  if (shell === null) {
    return (
      <section className="card">
        <h2>This computer</h2>
        <p className="muted">Porchlight runs here as a server. Starting it with the computer is the system’s task: the guide has a recipe for Linux, macOS and Windows.</p>
      </section>
    );
  }
  const autostart = (enabled: boolean): void => void shell?.setAutostart(enabled).then((startAtLogin) => onSet({ startAtLogin }));
  return (
    <section className="card">
      <h2>This computer</h2>
      <SwitchSetting title="Start at login" about="Recording begins when you log in, without a window." checked={settings.startAtLogin} onChange={autostart} />
      <SwitchSetting title="Keep this computer awake" about="While cameras record. The screen may still go dark." checked={settings.keepAwake} onChange={(keepAwake) => onSet({ keepAwake })} />
    </section>
  );
}

const SOURCE_WORDS: Readonly<Record<'setting' | 'packaged' | 'path', string>> = { setting: 'chosen by you', packaged: 'came with Porchlight', path: 'found on this computer' };

function Ffmpeg({ settings, info, onSet }: { readonly settings: SettingsModel; readonly info: AppInfo; readonly onSet: (patch: Partial<SettingsModel>) => void }): ReactNode {
  const [path, setPath] = useState(settings.ffmpegPath ?? '');
  return (
    <section className="card">
      <h2>ffmpeg</h2>
      {info.ffmpeg === null ? (
        <ErrorLine>Porchlight needs ffmpeg 5 or newer to record and found none. Debian, Ubuntu: sudo apt install ffmpeg. macOS: brew install ffmpeg. Windows: winget install ffmpeg.</ErrorLine>
      ) : (
        <p className="muted">
          Version {info.ffmpeg.version}, {SOURCE_WORDS[info.ffmpeg.source]}: <code>{info.ffmpeg.path}</code>
        </p>
      )}
      <details>
        <summary>Use another one</summary>
        <div className="ffmpeg-form">
          <Field label="Where it is" placeholder="found by itself" value={path} onChange={(event) => setPath(event.target.value)} />
          <Button onClick={() => onSet({ ffmpegPath: path.trim() === '' ? null : path.trim() })}>Use</Button>
        </div>
      </details>
    </section>
  );
}

function About({ info }: { readonly info: AppInfo }): ReactNode {
  return (
    <section className="card">
      <h2>About</h2>
      <dl className="about">
        <dt>Version</dt>
        <dd>{info.version}</dd>
        <dt>Camera passwords</dt>
        <dd>
          {info.secrets === 'keyring'
            ? 'are kept in this computer’s keyring.'
            : 'are kept in a file that only your user can read. Somebody who can read your files can read them.'}
        </dd>
        <dt>Settings and index</dt>
        <dd>
          <code>{info.dataDir}</code>
        </dd>
        <dt>Log</dt>
        <dd>
          <code>{info.dataDir}/logs/porchlight.log</code>
        </dd>
      </dl>
      {shell === null ? null : <Button onClick={() => void shell?.openFolder(info.dataDir)}>Show the folder</Button>}
    </section>
  );
}
