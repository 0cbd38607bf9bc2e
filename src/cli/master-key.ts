import type { Command } from 'commander';
import { readConfig } from '../config.ts';
import { rotateMasterKey } from '../store/rotate-master-key.ts';

/** Adds `disync master-key rotate`, which works on the store of a service that is stopped. */
export function registerMasterKey(program: Command): void {
  const command = program.command('master-key').description('the key that seals stored secrets');
  command
    .command('rotate')
    .description('seals every stored secret with a new key; the service is stopped meanwhile')
    .option('--to <file>', 'where the new key goes; without it, in the place of the former')
    .option('--master-key-file <file>', 'the present key, where it is not master.key beside the store')
    .option('--data-dir <folder>', 'folder of the store')
    .option('--config <file>', 'configuration file')
    .action(async ({ to = null, ...flags }: Record<string, string | null>) => {
      const { dataDir: folder, masterKey, masterKeyFile } = readConfig(flags);
      const done = await rotateMasterKey({ folder, masterKey, masterKeyFile, to });
      console.log(
        `${done.secrets} secrets were sealed with the new key ${done.fingerprint}, which is in ${done.file}; the former is ${done.formerFingerprint}`,
      );
      console.log(
        done.former === null
          ? `give the service the new one from now on, such as DISYNC_MASTER_KEY_FILE=${done.file}; keep the former for backups of the store`
          : `the former one is in ${done.former}, for backups of the store: delete it when there are none`,
      );
      console.log('temporary credentials that were issued before are void');
    });
}
