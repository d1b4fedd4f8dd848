// The browser of a desktop, as far as a program can tell.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/// A directory with an xdg-open that writes down its arguments, one in <> each.
export function fakeBrowser(dir) {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\n{ for a in "$@"; do printf '<%s>' "$a"; done; echo; } >> ${dir}/opened\n`);
  chmodSync(join(bin, 'xdg-open'), 0o755);
  return { bin, opened: () => (existsSync(join(dir, 'opened')) ? readFileSync(join(dir, 'opened'), 'utf8') : '') };
}
