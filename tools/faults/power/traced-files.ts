/**
 * Owns the turning of system calls into operations by inode: follows descriptors, offsets and names of one process and its
 * threads below one folder. Calls it does not know there are an error: a trace that is not understood proves nothing.
 */
import path from 'node:path';
import { type DiskOperation, type Inode, WATCHED } from './disk-operations.ts';
import { callBytes, callFd, callString, callVector, type SystemCall } from './strace-lines.ts';

/** What strace is told to watch. */
export const TRACED_CALLS = [
  'open', 'openat', 'openat2', 'creat', 'close', 'dup', 'dup2', 'dup3', 'lseek', 'clone', 'clone3', 'fork', 'vfork',
  'write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'fallocate', 'copy_file_range', 'sendfile', 'splice',
  'fsync', 'fdatasync', 'sync_file_range', 'sync', 'syncfs', 'msync',
  'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'link', 'linkat', 'symlink', 'symlinkat',
] as const;

/** An open file: shared by descriptors that were duplicated. */
interface OpenFile {
  readonly inode: Inode;
  readonly appends: boolean;
  offset: number;
}

interface Node {
  readonly inode: Inode;
  readonly type: 'file' | 'folder';
  readonly names: Map<string, Node>;
  bytes: Buffer;
  sizeBytes: number;
}

/** Prefix of lines that the traced program prints about itself. */
export const SAID = '@said ';

export class TracedFiles {
  readonly operations: DiskOperation[] = [];
  /** What could not be followed; must be empty. */
  readonly problems: string[] = [];
  readonly #base: string;
  readonly #root: Node = { inode: WATCHED, type: 'folder', names: new Map(), bytes: Buffer.alloc(0), sizeBytes: 0 };
  #threads = new Set<number>();
  #files = new Map<number, OpenFile>();
  readonly #nodes = new Map<Inode, Node>([[WATCHED, this.#root]]);
  #inodes = WATCHED;

  /** `base`: the watched folder's real path; it was empty when the trace began. */
  constructor(base: string) {
    this.#base = base;
  }

  /** A new process: it has no descriptors below the folder. */
  beginProcess(): void {
    this.#threads = new Set();
    this.#files = new Map();
  }

  /** Takes calls in the order of the trace. */
  take(calls: readonly SystemCall[]): void {
    const events = calls.flatMap((call) => [{ at: call.enter, ends: false, call }, { at: call.exit, ends: true, call }]);
    events.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
    this.#findThreads(calls);
    for (const { call, ends } of events) {
      try {
        this.#event(call, ends);
      } catch (error) {
        this.problems.push(`${call.name} at ${call.enter}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** Every file and folder as the program left it: path below the folder, and bytes or null for a folder. */
  tree(): Map<string, Buffer | null> {
    const found = new Map<string, Buffer | null>();
    const walk = (node: Node, at: string): void => {
      for (const [name, child] of node.names) {
        const here = at === '' ? name : `${at}/${name}`;
        found.set(here, child.type === 'folder' ? null : child.bytes.subarray(0, child.sizeBytes));
        walk(child, here);
      }
    };
    walk(this.#root, '');
    return found;
  }

  /** Everything that was ever written to a file, by inode, also when its name is gone. */
  content(inode: Inode): Buffer {
    const node = this.#nodes.get(inode);
    return node === undefined ? Buffer.alloc(0) : node.bytes.subarray(0, node.sizeBytes);
  }

  /** Notes what a killed process's last calls did, which strace did not see the end of: `bytes` is what the file really holds; null: it is gone. */
  adopt(file: string, bytes: Buffer | null, at: number, timeMs: number): void {
    const step = { enter: at, exit: at, timeMs };
    const known = this.#find(path.join(this.#base, file));
    if (bytes === null) {
      this.#setName(path.join(this.#base, file), null, step);
      return;
    }
    const node = known ?? this.#create(path.join(this.#base, file), 'file', step);
    this.#write(node, 0, bytes, step);
    this.#resize(node, bytes.length, step);
  }

  #event(call: SystemCall, ends: boolean): void {
    if (!this.#threads.has(call.tid)) return;
    if (Number.isNaN(call.result) || call.result < 0) return;
    if (ends) this.#ended(call);
    else this.#begun(call);
  }

  /** Threads are part of the process; a child that was forked has descriptors of its own and is not followed. A thread may speak before its birth is printed. */
  #findThreads(calls: readonly SystemCall[]): void {
    const [first] = calls;
    if (first !== undefined) this.#threads.add(first.tid);
    const births = calls.filter((call) => call.name.startsWith('clone') && call.result > 0 && call.args.some((arg) => arg.includes('CLONE_THREAD')));
    for (let known = -1; known < this.#threads.size; ) {
      known = this.#threads.size;
      for (const call of births) if (this.#threads.has(call.tid)) this.#threads.add(call.result);
    }
  }

  #begun(call: SystemCall): void {
    const { args } = call;
    switch (call.name) {
      case 'open': case 'openat': case 'creat': return this.#openBegun(call);
      case 'close': return void this.#files.delete(callFd(args[0] ?? '').fd);
      case 'write': case 'writev': return this.#writeAtOffset(call, (call.name === 'write' ? callBytesIf : callVector)(args[1] ?? ''));
      case 'pwrite64': return this.#writeAt(call, args[1] ?? '', Number(args[3]), false);
      case 'pwritev': case 'pwritev2': return this.#writeAt(call, args[1] ?? '', Number(args[3]), true);
      case 'ftruncate': return this.#onFile(call, args[0], (node) => this.#resize(node, Number(args[1]), call));
      case 'mkdir': return this.#within(callString(args[0] ?? ''), (full) => this.#create(full, 'folder', call));
      case 'mkdirat': return this.#within(at(args[0], args[1]), (full) => this.#create(full, 'folder', call));
      case 'unlink': case 'rmdir': return this.#within(callString(args[0] ?? ''), (full) => this.#setName(full, null, call));
      case 'unlinkat': return this.#within(at(args[0], args[1]), (full) => this.#setName(full, null, call));
      case 'rename': return this.#rename(callString(args[0] ?? ''), callString(args[1] ?? ''), call);
      case 'renameat': case 'renameat2': return this.#rename(at(args[0], args[1]), at(args[2], args[3]), call);
      case 'link': return this.#link(callString(args[0] ?? ''), callString(args[1] ?? ''), call);
      case 'linkat': return this.#link(at(args[0], args[1]), at(args[2], args[3]), call);
      case 'truncate': case 'symlink': return this.#within(callString(args.at(call.name === 'truncate' ? 0 : 1) ?? ''), () => this.#unknown(call));
      case 'symlinkat': return this.#within(at(args[1], args[2]), () => this.#unknown(call));
      case 'fallocate': case 'splice': case 'msync': case 'openat2': case 'sync': case 'syncfs': return this.#unknownOnFile(call);
      default: return;
    }
  }

  #ended(call: SystemCall): void {
    const { args } = call;
    switch (call.name) {
      case 'open': case 'openat': case 'creat': return this.#openEnded(call);
      case 'dup': case 'dup2': case 'dup3': {
        const file = this.#files.get(callFd(args[0] ?? '').fd);
        if (file === undefined) this.#files.delete(call.result);
        else this.#files.set(call.result, file);
        return;
      }
      case 'lseek': {
        const file = this.#files.get(callFd(args[0] ?? '').fd);
        if (file !== undefined) file.offset = call.result;
        return;
      }
      case 'fsync': case 'fdatasync': {
        const { fd, path: openPath } = callFd(args[0] ?? '');
        const file = this.#files.get(fd);
        if (file !== undefined) this.#add({ kind: 'sync', inode: file.inode, call: call.name, path: openPath ?? '', ...step(call) });
        return;
      }
      case 'copy_file_range': return this.#copyRange(call, args[0], args[2], args[3]);
      case 'sendfile': return this.#copyRange(call, args[1], args[0], 'NULL');
      default: return;
    }
  }

  #openBegun(call: SystemCall): void {
    const file = openedPath(call);
    const flags = openFlags(call);
    this.#within(file, (full) => {
      const known = this.#find(full);
      if (known === null && flags.includes('O_CREAT')) this.#create(full, 'file', call);
      else if (known !== null && known.type === 'file' && flags.includes('O_TRUNC') && known.sizeBytes > 0) this.#resize(known, 0, call);
      if (flags.includes('O_TMPFILE') || flags.includes('O_SYNC') || flags.includes('O_DSYNC')) this.#unknown(call);
    });
  }

  #openEnded(call: SystemCall): void {
    this.#files.delete(call.result);
    this.#within(openedPath(call), (full) => {
      const node = this.#find(full);
      // A FIFO or a socket, made by somebody else: nothing of it is on a disk.
      if (node !== null) this.#files.set(call.result, { inode: node.inode, appends: openFlags(call).includes('O_APPEND'), offset: 0 });
    });
  }

  #writeAtOffset(call: SystemCall, bytes: Buffer | null): void {
    const { fd, path: openPath } = callFd(call.args[0] ?? '');
    const file = this.#files.get(fd);
    if (file === undefined) {
      if (fd === 1 && bytes !== null) this.#said(bytes.toString('utf8'), call);
      return;
    }
    const node = this.#nodes.get(file.inode);
    if (node === undefined || bytes === null) throw new Error(`a write to ${openPath ?? fd} is not whole in the trace`);
    const from = file.appends ? node.sizeBytes : file.offset;
    const taken = bytes.subarray(0, call.result);
    file.offset = from + taken.length;
    this.#write(node, from, taken, call);
  }

  #writeAt(call: SystemCall, data: string, offset: number, vector: boolean): void {
    this.#onFile(call, call.args[0], (node, file) => {
      const bytes = (vector ? callVector(data) : callBytes(data)).subarray(0, call.result);
      // Linux appends to a file opened with O_APPEND, whatever the offset says (pwrite(2), "BUGS").
      this.#write(node, file.appends ? node.sizeBytes : offset, bytes, call);
    });
  }

  #copyRange(call: SystemCall, from: string | undefined, to: string | undefined, toOffset: string | undefined): void {
    const source = this.#files.get(callFd(from ?? '').fd);
    const target = this.#files.get(callFd(to ?? '').fd);
    if (target === undefined) return;
    const [sourceNode, targetNode] = [this.#nodes.get(source?.inode ?? -1), this.#nodes.get(target.inode)];
    if (source === undefined || sourceNode === undefined || targetNode === undefined || toOffset !== 'NULL') throw new Error('bytes were copied from somewhere that is not followed');
    const offsetText = /\[(\d+)/.exec(call.args[1] ?? '')?.[1];
    const sourceFrom = offsetText === undefined ? source.offset : Number(offsetText);
    const bytes = Buffer.from(sourceNode.bytes.subarray(sourceFrom, sourceFrom + call.result));
    if (offsetText === undefined) source.offset += bytes.length;
    this.#write(targetNode, target.offset, bytes, call);
    target.offset += bytes.length;
  }

  #rename(from: string, to: string, call: SystemCall): void {
    const node = this.#isWithin(from) ? this.#find(from) : null;
    if (!this.#isWithin(from) && !this.#isWithin(to)) return;
    if (node === null) throw new Error(`${from} is renamed and not known`);
    // Two operations on names, which a power cut may part.
    this.#setName(to, node, call);
    this.#setName(from, null, call);
  }

  #link(from: string, to: string, call: SystemCall): void {
    if (!this.#isWithin(to)) return;
    const node = this.#find(from);
    if (node === null) throw new Error(`${from} is linked and not known`);
    this.#setName(to, node, call);
  }

  #said(text: string, call: SystemCall): void {
    for (const line of text.split('\n')) if (line.startsWith(SAID)) this.#add({ kind: 'said', text: line.slice(SAID.length), ...step(call) });
  }

  #onFile(_call: SystemCall, argument: string | undefined, work: (node: Node, file: OpenFile) => void): void {
    const file = this.#files.get(callFd(argument ?? '').fd);
    const node = file === undefined ? undefined : this.#nodes.get(file.inode);
    if (file !== undefined && node !== undefined) work(node, file);
  }

  #unknownOnFile(call: SystemCall): void {
    if (call.name === 'sync' || call.args.some((arg) => this.#files.has(callFd(arg).fd) && arg.includes('<'))) this.#unknown(call);
  }

  #unknown(_call: SystemCall): void {
    throw new Error('this call is not understood on a watched file');
  }

  #within(file: string, work: (full: string) => void): void {
    if (this.#isWithin(file)) work(file);
  }

  #isWithin(file: string): boolean {
    return file === this.#base || file.startsWith(`${this.#base}/`);
  }

  #find(full: string): Node | null {
    let node: Node | undefined = this.#root;
    for (const name of full.slice(this.#base.length).split('/')) if (name !== '') node = node?.names.get(name);
    return node ?? null;
  }

  #create(full: string, type: Node['type'], call: Step): Node {
    this.#inodes += 1;
    const node: Node = { inode: this.#inodes, type, names: new Map(), bytes: Buffer.alloc(0), sizeBytes: 0 };
    this.#nodes.set(node.inode, node);
    this.#add({ kind: 'create', inode: node.inode, type, ...step(call) });
    this.#setName(full, node, call);
    return node;
  }

  #setName(full: string, node: Node | null, call: Step): void {
    const folder = this.#find(path.dirname(full));
    if (folder === null) throw new Error(`${full} has no folder`);
    const name = path.basename(full);
    // What somebody else made, a socket for instance, goes unnoticed.
    if (node === null && !folder.names.has(name)) return;
    if (node === null) folder.names.delete(name);
    else folder.names.set(name, node);
    this.#add({ kind: 'name', folder: folder.inode, name, inode: node?.inode ?? null, ...step(call) });
  }

  #write(node: Node, offset: number, bytes: Buffer, call: Step): void {
    const end = offset + bytes.length;
    if (end > node.bytes.length) node.bytes = Buffer.concat([node.bytes, Buffer.alloc(Math.max(end - node.bytes.length, node.bytes.length))]);
    bytes.copy(node.bytes, offset);
    node.sizeBytes = Math.max(node.sizeBytes, end);
    this.#add({ kind: 'write', inode: node.inode, at: offset, bytes, ...step(call) });
  }

  #resize(node: Node, sizeBytes: number, call: Step): void {
    if (sizeBytes === node.sizeBytes) return;
    if (sizeBytes < node.sizeBytes) node.bytes.fill(0, sizeBytes, node.sizeBytes);
    else if (sizeBytes > node.bytes.length) node.bytes = Buffer.concat([node.bytes, Buffer.alloc(sizeBytes - node.bytes.length)]);
    node.sizeBytes = sizeBytes;
    this.#add({ kind: 'resize', inode: node.inode, sizeBytes, ...step(call) });
  }

  #add(operation: DiskOperation): void {
    this.operations.push(operation);
  }
}

type Step = Pick<SystemCall, 'enter' | 'exit' | 'timeMs'>;

function step({ enter, exit, timeMs }: Step): Step {
  return { enter, exit, timeMs };
}

function callBytesIf(argument: string): Buffer | null {
  return argument.startsWith('"') && argument.endsWith('"') ? callBytes(argument) : null;
}

/** A path relative to an open folder. */
function at(folder: string | undefined, name: string | undefined): string {
  return path.resolve(callFd(folder ?? '').path ?? '/', callString(name ?? ''));
}

function openedPath(call: SystemCall): string {
  return call.name === 'openat' ? at(call.args[0], call.args[1]) : callString(call.args[0] ?? '');
}

function openFlags(call: SystemCall): string {
  return call.name === 'creat' ? 'O_CREAT|O_TRUNC' : (call.args[call.name === 'openat' ? 2 : 1] ?? '');
}
