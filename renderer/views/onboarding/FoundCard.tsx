/** One camera that was found and is not ours yet. */
import { Camera, CircleCheck, LoaderCircle } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import type { FoundCamera } from '../../../shared/model/discovery.ts';
import { ErrorLine } from '../../components/Field.tsx';
import { PreviewImage } from '../../components/PreviewImage.tsx';

export type FoundProgress =
  | { readonly kind: 'trying' }
  | { readonly kind: 'added' }
  | { readonly kind: 'failed'; readonly sentence: string; readonly rejected: boolean };

export interface FoundCardProps {
  readonly camera: FoundCamera;
  readonly chosen: boolean;
  readonly progress: FoundProgress | null;
  readonly onToggle: () => void;
}

export function FoundCard({ camera, chosen, progress, onToggle }: FoundCardProps): ReactNode {
  const id = useId();
  const title = [camera.maker, camera.model].filter((part) => part !== '').join(' ') || 'Camera';
  return (
    <li className="found-card" data-chosen={chosen}>
      <input id={id} type="checkbox" checked={chosen} disabled={progress?.kind === 'trying' || progress?.kind === 'added' || camera.cameraId !== null} onChange={onToggle} />
      {camera.cameraId === null ? <Camera size={22} strokeWidth={1.6} aria-hidden="true" /> : <PreviewImage cameraId={camera.cameraId} />}
      <label htmlFor={id}>
        <strong>{title}</strong>
        <span className="muted numbers">{camera.host}</span>
        {progress?.kind === 'failed' ? <ErrorLine>{progress.sentence}</ErrorLine> : null}
      </label>
      {progress?.kind === 'trying' ? <LoaderCircle className="turning" size={18} aria-label="Trying the password" /> : null}
      {progress?.kind === 'added' ? <CircleCheck size={18} color="var(--good)" aria-label="Added" /> : null}
    </li>
  );
}
