// Where the browser is. Nothing is downloaded: it is the machine's own.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ELSEWHERE = ['/usr/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** CHROMIUM, or the first one found. Throws where there is none. */
export function chromiumPath(): string {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const onPath = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  const found = [...onPath, ...ELSEWHERE].find((path) => existsSync(path));
  if (!found) throw new Error('There is no Chromium: run `make setup-test`, or set CHROMIUM to its path.');
  return found;
}
