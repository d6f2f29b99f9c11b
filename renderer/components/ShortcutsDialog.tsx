/** The keys, by what they do, and what the timeline's colours mean. */
import type { ReactNode } from 'react';
import { Dialog } from './Dialog.tsx';
import { Kbd } from './Kbd.tsx';

const GROUPS: readonly { readonly title: string; readonly keys: readonly (readonly [keys: readonly string[], does: string])[] }[] = [
  {
    title: 'Time',
    keys: [
      [['Space'], 'Play or pause'],
      [['←', '→'], '10 seconds back or on'],
      [['Shift', '← →'], 'A minute back or on'],
      [['PgUp', 'PgDn'], 'An hour back or on'],
      [[',', '.'], 'One picture back or on'],
      [['J', 'K', 'L'], 'Slower, pause, faster'],
      [['[', ']'], 'Previous or next day'],
      [['G'], 'Go to a date and time'],
      [['End'], 'Live'],
    ],
  },
  {
    title: 'Pictures',
    keys: [
      [['1', '…', '9'], 'Open a camera'],
      [['Esc'], 'All cameras'],
      [['F'], 'Full screen'],
      [['M'], 'Sound of the open camera'],
      [['C'], 'Contact sheet of this hour'],
      [['P'], 'Keep this moment for good'],
      [['R'], 'Choose a range to keep'],
    ],
  },
  {
    title: 'Timeline and views',
    keys: [
      [['+', '−'], 'Closer or wider'],
      [['Shift', 'drag'], 'Choose a range to keep'],
      [['Alt', '1 … 6'], 'Go to a view'],
      [['?'], 'These keys'],
    ],
  },
];

const LEGEND: readonly (readonly [name: string, token: string])[] = [
  ['Footage', '--footage'],
  ['Missing: point to see why', '--gap'],
  ['Person', '--person'],
  ['Vehicle', '--vehicle'],
  ['Animal', '--animal'],
  ['Other motion', '--motion'],
  ['Camera went offline', '--wrong'],
  ['Kept for good, as a thin line', '--accent'],
];

export function ShortcutsDialog({ open, onOpenChange }: { readonly open: boolean; readonly onOpenChange: (open: boolean) => void }): ReactNode {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keys and colours" wide>
      <div className="shortcuts">
        {GROUPS.map(({ title, keys }) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {keys.map(([names, does]) => (
                <div key={does}>
                  <dt>
                    {names.map((name) => (
                      <Kbd key={name}>{name}</Kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h2>Colours on the timeline</h2>
          <ul className="legend">
            {LEGEND.map(([name, token]) => (
              <li key={name}>
                <span style={{ background: `var(${token})` }} data-gap={token === '--gap'} aria-hidden="true" />
                {name}
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  );
}
