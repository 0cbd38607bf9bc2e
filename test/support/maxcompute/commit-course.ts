/** How commits go from here on: how often one is seen on its way, and how many of the next end in failure. */
export class CommitCourse {
  /** So many answers say that it is on its way, before one says how it ended. */
  answers: number;
  /** So many commits end as `critical`, and nothing of them is to be seen. */
  failures = 0;

  constructor(answers: number) {
    this.answers = answers;
  }

  begin(): CommitOnItsWay {
    const fails = this.failures > 0;
    if (fails) this.failures -= 1;
    return { answers: this.answers, fails };
  }
}

/** What is left of a commit; `answers` counts down. */
export interface CommitOnItsWay {
  answers: number;
  readonly fails: boolean;
}
