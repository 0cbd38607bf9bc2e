import { type ChildProcess, spawn, type SpawnOptions, spawnSync } from 'node:child_process';

/** Whether processes can be kept on one processor here. */
export const CAN_PIN: boolean = spawnSync('taskset', ['--version']).status === 0;

/** Starts Node on one processor, numbered from 0: the service and whoever measures it do not share one. */
export function spawnPinned(processor: number, args: readonly string[], options: SpawnOptions): ChildProcess {
  return CAN_PIN
    ? spawn('taskset', ['--cpu-list', String(processor), process.execPath, ...args], options)
    : spawn(process.execPath, args, options);
}

/** Moves a process that has started, with all its threads, to one processor. */
export function pin(processor: number, pid: number): void {
  if (CAN_PIN) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(processor), String(pid)]);
}
