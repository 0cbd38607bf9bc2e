import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeXml } from './xml.ts';

test('writes an element for each key, one for each item of a list, and none for null', () => {
  const body = {
    RequestId: 'R',
    Success: true,
    Data: { FileId: 9007199254740993n, Message: null, Files: [{ Name: 'a' }, { Name: 'b' }], Empty: [], Text: '' },
  };
  assert.equal(
    writeXml('GetResponse', body),
    "<?xml version='1.0' encoding='UTF-8'?><GetResponse><RequestId>R</RequestId><Success>true</Success><Data>" +
      '<FileId>9007199254740993</FileId><Files><Name>a</Name></Files><Files><Name>b</Name></Files><Text></Text></Data></GetResponse>',
  );
});

test('texts come back as they were, but for what XML cannot hold', () => {
  const text = 'a<b>&"\' ]]>\r\n\t\u0000\u0008\ud800x\ufffe\u{1f600}';
  assert.equal(
    writeXml('R', { Text: text }),
    "<?xml version='1.0' encoding='UTF-8'?><R><Text>a&lt;b&gt;&amp;\"' ]]&gt;&#13;\n\t\ufffd\ufffd\ufffdx\ufffd\u{1f600}</Text></R>",
  );
});
