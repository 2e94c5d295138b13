// The committed schemas are what the types say: nobody has mended one by hand.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('the schemas are those of the types', async () => {
  const script = path.join(import.meta.dirname, '../schemas/derive.mjs');
  await promisify(execFile)(process.execPath, [script, '--check']);
});
