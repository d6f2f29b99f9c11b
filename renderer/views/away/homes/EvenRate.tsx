/** Whether the line to another home is filled up to the same rate all the time, and what that costs. */
import { type ReactNode, useId } from 'react';
import { EVEN_RATES_MBIT, type EvenRateMbit, type RemoteHome } from '../../../../shared/model/remote.ts';
import { asError, useOwnEngine } from '../../../api/engine-context.tsx';

/** GB in an hour at a rate. */
function costWords(mbit: EvenRateMbit): string {
  return `${((mbit * 3_600) / 8 / 1_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} GB an hour`;
}

export function EvenRate({ home, onFail }: { readonly home: RemoteHome; readonly onFail: (sentence: string) => void }): ReactNode {
  const engine = useOwnEngine();
  const id = useId();
  const { evenMbit } = home;
  const choose = (value: string): void => {
    const mbit = EVEN_RATES_MBIT.find((rate) => String(rate) === value) ?? null;
    engine.ask('homes.setEvenRate', { homeId: home.id, mbit }).catch((error: unknown) => onFail(asError(error).message));
  };
  return (
    <div className="even-rate">
      <label>
        <span>Even amounts</span>
        <select className="input" value={evenMbit ?? ''} aria-describedby={id} onChange={(event) => choose(event.target.value)}>
          <option value="">off</option>
          {EVEN_RATES_MBIT.map((rate) => (
            <option key={rate} value={rate}>
              {rate} Mbit/s
            </option>
          ))}
        </select>
      </label>
      <p id={id} className="muted">
        {evenMbit === undefined
          ? `The relay sees how much is sent, which tells when much is moving; sending the same each second hides that, and costs ${costWords(4)} at 4 Mbit/s.`
          : `The same is sent each second whatever happens there: ${costWords(evenMbit)} while you look in, and a picture that needs more becomes the small one.`}
      </p>
    </div>
  );
}
