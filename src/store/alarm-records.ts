import type { Clock } from '../lib/clock.ts';
import { stringifyJson } from '../lib/json.ts';
import type { Seal } from '../lib/seal.ts';
import type { AlarmMetric, AlarmReceivers, AlarmRule, AlarmRuleSpec } from '../tasks/alarm-rule.ts';
import { NOTHING_TOLD, type Told } from '../tasks/alarm-evaluation.ts';
import type { AlarmNews, AlarmRecords, WatchedRule } from '../tasks/alarm-store.ts';
import type { AlarmNewsId, AlarmRuleId, ProjectId, TaskId } from '../tasks/ids.ts';
import type { AlarmNotification } from '../tasks/notifier.ts';
import type { Page } from '../tasks/page.ts';
import type { Database, SqlRow } from './database.ts';

/** The table of alarm rules; receivers are sealed, because most of them are secrets. */
export class SqliteAlarmRecords implements AlarmRecords {
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #clock: Clock;

  constructor(database: Database, seal: Seal, clock: Clock) {
    this.#database = database;
    this.#seal = seal;
    this.#clock = clock;
  }

  async insert(task: TaskId, spec: AlarmRuleSpec, creator: string): Promise<AlarmRuleId> {
    const now = this.#clock.now();
    const { id } = this.#database.run(
      "INSERT INTO alarm_rule (task, enabled, metric, mute_minutes, conditions, channels, receivers, creator, editor, created_at, edited_at) VALUES (?, 0, '', 0, '', '', x'', ?, ?, ?, ?)",
      task,
      creator,
      creator,
      now,
      now,
    );
    this.#write(id as AlarmRuleId, spec);
    return id as AlarmRuleId;
  }

  async replace(id: AlarmRuleId, spec: AlarmRuleSpec, editor: string): Promise<void> {
    // Later than before, also within one millisecond: by this time the rule that was looked at is known to be the same.
    this.#database.run(
      "UPDATE alarm_rule SET told = '[]', open = '[]', editor = ?, edited_at = max(?, edited_at + 1) WHERE id = ?",
      editor,
      this.#clock.now(),
      id,
    );
    this.#database.run('DELETE FROM alarm_news WHERE rule = ?', id);
    this.#write(id, spec);
  }

  async rule(id: AlarmRuleId): Promise<AlarmRule | null> {
    const row = this.#database.get('SELECT * FROM alarm_rule WHERE id = ?', id);
    return row === undefined ? null : this.#read(row);
  }

  async ofTask(project: ProjectId, task: TaskId): Promise<readonly AlarmRule[]> {
    return this.#database
      .all(
        `SELECT alarm_rule.* FROM alarm_rule JOIN task ON task.id = alarm_rule.task
         WHERE alarm_rule.task = ? AND task.project = ? AND task.deleted_at IS NULL ORDER BY alarm_rule.id DESC`,
        task,
        project,
      )
      .map((row) => this.#read(row));
  }

  async list(task: TaskId, { pageNumber, pageSize }: Page): Promise<{ rows: readonly AlarmRule[]; total: number }> {
    const total = this.#database.get('SELECT count(*) AS n FROM alarm_rule WHERE task = ?', task)?.['n'];
    const rows = this.#database.all(
      'SELECT * FROM alarm_rule WHERE task = ? ORDER BY id DESC LIMIT ? OFFSET ?',
      task,
      pageSize,
      (pageNumber - 1) * pageSize,
    );
    return { rows: rows.map((row) => this.#read(row)), total: Number(total ?? 0) };
  }

  async delete(id: AlarmRuleId): Promise<void> {
    this.#database.run('DELETE FROM alarm_rule WHERE id = ?', id);
  }

  async enabled(): Promise<readonly WatchedRule[]> {
    return this.#database
      .all(
        `SELECT alarm_rule.*, task.project FROM alarm_rule JOIN task ON task.id = alarm_rule.task
         WHERE alarm_rule.enabled = 1 AND task.deleted_at IS NULL ORDER BY alarm_rule.id`,
      )
      .map((row) => ({
        ...readPlain(row),
        project: row['project'] as ProjectId,
        told: readTold(row),
      }));
  }

  async saveTold(id: AlarmRuleId, told: readonly Told[]): Promise<void> {
    const [times, open] = [told.map(({ at }) => at), told.map(({ isOpen }) => isOpen)];
    this.#database.run(
      'UPDATE alarm_rule SET told = ?, open = ? WHERE id = ?',
      JSON.stringify(times),
      JSON.stringify(open),
      id,
    );
  }

  async insertNews(notification: AlarmNotification): Promise<AlarmNewsId> {
    const facts = stringifyJson({ ...notification });
    const { id } = this.#database.run('INSERT INTO alarm_news (rule, facts) VALUES (?, ?)', notification.rule, facts);
    return id as AlarmNewsId;
  }

  async news(): Promise<readonly AlarmNews[]> {
    return this.#database
      .all(
        `SELECT alarm_rule.*, task.project, alarm_news.id AS news, alarm_news.facts FROM alarm_news
         JOIN alarm_rule ON alarm_rule.id = alarm_news.rule JOIN task ON task.id = alarm_rule.task
         WHERE alarm_rule.enabled = 1 AND task.deleted_at IS NULL ORDER BY alarm_news.id`,
      )
      .map((row) => {
        const rule = this.#read(row);
        const facts = JSON.parse(String(row['facts'])) as AlarmNotification; // but for its ids, which are bigints
        const ids = { rule: rule.id, task: rule.task, project: row['project'] as ProjectId };
        return { id: row['news'] as AlarmNewsId, notification: { ...facts, ...ids }, rule };
      });
  }

  async deleteNews(id: AlarmNewsId): Promise<void> {
    this.#database.run('DELETE FROM alarm_news WHERE id = ?', id);
  }

  /** What is sealed belongs to the rule's id, so that comes first. */
  #write(id: AlarmRuleId, spec: AlarmRuleSpec): void {
    const { description, enabled, metric, muteMinutes, conditions, channels, receivers } = spec;
    this.#database.run(
      'UPDATE alarm_rule SET description = ?, enabled = ?, metric = ?, mute_minutes = ?, conditions = ?, channels = ?, receivers = ? WHERE id = ?',
      description,
      Number(enabled),
      metric,
      muteMinutes,
      JSON.stringify(conditions),
      JSON.stringify(channels),
      this.#seal.close(JSON.stringify(receivers), sealedAlarmRuleOwner({ id })),
      id,
    );
  }

  #read(row: SqlRow): AlarmRule {
    const sealed = row['receivers'] as Uint8Array;
    return {
      ...readPlain(row),
      description: row['description'] as string | null,
      enabled: row['enabled'] === 1n,
      channels: JSON.parse(String(row['channels'])) as AlarmRule['channels'],
      receivers: JSON.parse(this.#seal.open(sealed, sealedAlarmRuleOwner(row))) as AlarmReceivers[],
      creator: String(row['creator']),
      editor: String(row['editor']),
      createdAt: Number(row['created_at']),
    };
  }
}

/** What is needed to watch it. */
function readPlain(row: SqlRow): Omit<WatchedRule, 'project' | 'told'> {
  return {
    id: row['id'] as AlarmRuleId,
    task: row['task'] as TaskId,
    metric: row['metric'] as AlarmMetric,
    conditions: JSON.parse(String(row['conditions'])) as AlarmRule['conditions'],
    muteMinutes: Number(row['mute_minutes']),
    editedAt: Number(row['edited_at']),
  };
}

/** Two lists, parallel to the conditions. */
function readTold(row: SqlRow): readonly Told[] {
  const times = JSON.parse(String(row['told'])) as Told['at'][];
  const open = JSON.parse(String(row['open'])) as boolean[];
  return times.map((at, index) => ({ at, isOpen: open[index] ?? NOTHING_TOLD.isOpen }));
}

/** What the sealed receivers of a row belong to. */
export function sealedAlarmRuleOwner({ id }: { id?: unknown }): string {
  return `alarm rule ${String(id)}`;
}
