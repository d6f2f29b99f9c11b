/** The newest picture of a camera, for lists. */
import { ImageOff } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { CameraId } from '../../shared/model/ids.ts';
import { useEngine } from '../api/engine-context.tsx';
import { useSight } from '../state/place.tsx';

const REFRESH_MS = 20_000;
/** A camera that was just added has its first picture within seconds. */
const FIRST_MS = 1_500;

export function PreviewImage({ cameraId, dimmed = false }: { readonly cameraId: CameraId; readonly dimmed?: boolean }): ReactNode {
  const client = useEngine();
  const [url, setUrl] = useState<string | null>(null);
  // Until the first answer there is nothing to say, and a symbol that comes for a moment would be noise.
  const [answered, setAnswered] = useState(false);
  const blank = useSight().kind === 'blank';
  useEffect(() => {
    let gone = false;
    let shown: string | null = null;
    const load = async (): Promise<void> => {
      const { item, bytes } = await client.ask('previews.latest', { cameraId });
      if (gone || item === null) return;
      if (shown !== null) URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }));
      setUrl(shown);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const attempt = (): void =>
      void load()
        .catch(() => undefined)
        .finally(() => {
          if (gone) return;
          setAnswered(true);
          timer = setTimeout(attempt, shown === null ? FIRST_MS : REFRESH_MS);
        });
    attempt();
    return () => {
      gone = true;
      clearTimeout(timer);
      if (shown !== null) URL.revokeObjectURL(shown);
    };
  }, [client, cameraId]);
  return (
    <div className="picture" data-dimmed={dimmed}>
      {url !== null && !blank ? <img src={url} alt="" /> : answered ? <ImageOff size={22} strokeWidth={1.5} aria-label="No picture yet" /> : null}
    </div>
  );
}
