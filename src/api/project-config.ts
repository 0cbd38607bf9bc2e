import { choice, optional } from './parameter.ts';

/** For which runs the configuration of a project is. */
export const CONFIG_SCOPE = {
  DestinationType: choice({
    meaning: 'kind of destination',
    values: ['analyticdb_for_mysql', 'odps', 'elasticsearch', 'holo', 'mysql', 'polardb', 'kafka'],
    note: 'kafka is our extension; of the others only holo has tasks so far',
  }),
  SourceType: optional(
    choice({
      meaning: 'kind of source; every source without it',
      values: ['oracle', 'mysql', 'polardb', 'datahub', 'drds', 'analyticdb_for_mysql'],
      note: 'only mysql has tasks so far',
    }),
  ),
};
