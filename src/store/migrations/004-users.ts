/** Keys belong to users, who have policies and are members of projects. A key made before is of a user of its own name. */
export const users = `
CREATE TABLE user (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE user_policy (user TEXT NOT NULL REFERENCES user ON DELETE CASCADE, name TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (user, name)) STRICT;
CREATE TABLE project_member (user TEXT NOT NULL REFERENCES user ON DELETE CASCADE, project INTEGER NOT NULL REFERENCES project,
  PRIMARY KEY (user, project)) STRICT;
INSERT INTO user SELECT id, created_at FROM access_key;
INSERT INTO user_policy SELECT id, 'everything', '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
  FROM access_key;
INSERT INTO project_member SELECT access_key, project FROM access_key_project;
CREATE TABLE user_key (id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES user ON DELETE CASCADE, secret BLOB NOT NULL,
  active INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT;
INSERT INTO user_key SELECT id, id, secret, active, created_at FROM access_key;
DROP TABLE access_key_project;
DROP TABLE access_key;
ALTER TABLE user_key RENAME TO access_key;
`;
