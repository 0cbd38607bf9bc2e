import type { LogPlace, SourceServer } from '../../pipeline/batch.ts';
import type { Gtid } from './offset/gtid-set.ts';
import { fileNumber, type LogPosition } from './offset/position.ts';
import type { ServerFacts } from './server-facts.ts';

/** Tells sinks where in the log of one server parts come from. */
export class LogPlaces {
  readonly #server: SourceServer;
  readonly #epoch: number;
  readonly #separator: string;
  #file = '';
  #fileNumber = 0;

  constructor({ family, version, serverId }: Pick<ServerFacts, 'family' | 'version' | 'serverId'>, epoch: number) {
    this.#server = { system: family, version: version.join('.'), id: serverId };
    this.#epoch = epoch;
    this.#separator = family === 'mariadb' ? '-' : ':';
  }

  /** `within`: what lies before it of the event at `position`. */
  at({ file, position }: LogPosition, within: number, gtid: Gtid | null): LogPlace {
    if (file !== this.#file) {
      this.#file = file;
      this.#fileNumber = fileNumber(file);
    }
    return {
      server: this.#server,
      epoch: this.#epoch,
      file,
      fileNumber: this.#fileNumber,
      position,
      within,
      gtid: gtid === null ? null : `${gtid.source}${this.#separator}${gtid.number}`,
    };
  }
}
