/** Electron's main process as a place to run the vectors in: no window, only node:crypto as Electron has it. */
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { aesGcmOverNode } from './node-aes-gcm.ts';
import { checkVectors } from './vector-checks.ts';
import type { VectorFiles } from './vector-checks.ts';

Reflect.set(globalThis, 'checkVectors', (files: VectorFiles) => checkVectors(nodeSuite, aesGcmOverNode, files));
