/** One line of a settings list: what it is, and its switch or control. */
import { Switch as RadixSwitch } from 'radix-ui';
import { type ReactNode, useId } from 'react';

export function Setting({ title, about, children }: { readonly title: string; readonly about?: ReactNode; readonly children: ReactNode }): ReactNode {
  return (
    <div className="setting">
      <div>
        <div>{title}</div>
        {about === undefined ? null : <div className="muted">{about}</div>}
      </div>
      {children}
    </div>
  );
}

export interface SwitchSettingProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function SwitchSetting({ title, about, checked, disabled = false, onChange }: SwitchSettingProps): ReactNode {
  const id = useId();
  return (
    <div className="setting">
      <div>
        <label htmlFor={id}>{title}</label>
        {about === undefined ? null : <div className="muted">{about}</div>}
      </div>
      <RadixSwitch.Root id={id} className="switch" checked={checked} disabled={disabled} onCheckedChange={onChange}>
        <RadixSwitch.Thumb />
      </RadixSwitch.Root>
    </div>
  );
}
