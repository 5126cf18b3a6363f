// Runs `handbook bench tokenizer` and huggingface.mjs on the same tokenizers and text, one after the other, and prints the
// ratio of their speeds on one thread, over text met for the first time and over text seen before, and whether their ids are equal.
// Usage: node compare.mjs <text file> <tokenizer folder>... [--seconds N]
import { execFileSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const handbook = join(here, '..', '..', 'handbook');
const values = process.argv.slice(2);
const at = values.indexOf('--seconds');
const seconds = at < 0 ? '3' : values.splice(at, 2)[1];
const [text, ...folders] = values;

const last = (output) => JSON.parse(output.trim().split('\n').at(-1));
console.log('| tokenizer | unseen text: Hugging Face MB/s | handbook MB/s | ratio | seen before: Hugging Face MB/s | handbook MB/s | ratio | handbook, all threads | ids |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const folder of folders) {
  const environment = { ...process.env, RAYON_NUM_THREADS: '1' };
  const theirs = last(execFileSync('node', [join(here, 'huggingface.mjs'), folder, text, seconds], { encoding: 'utf8', env: environment }));
  const ours = last(execFileSync(handbook, ['bench', 'tokenizer', '--tokenizer', folder, '--text', text, '--seconds', seconds, '--json'], { encoding: 'utf8' }));
  const [theirFirst, ourFirst, slow, fast, all] = [theirs.first_pass, ours.first_pass, theirs.one_thread, ours.one_thread, ours.all_threads].map((speed) => speed.megabytes_per_second);
  const first = `${theirFirst.toFixed(2)} | ${ourFirst.toFixed(1)} | ${(ourFirst / theirFirst).toFixed(1)}`;
  const ids = theirs.ids_sha256 === ours.ids_sha256 ? 'equal' : 'DIFFERENT';
  console.log(`| ${basename(folder)} | ${first} | ${slow.toFixed(2)} | ${fast.toFixed(1)} | ${(fast / slow).toFixed(1)} | ${all.toFixed(1)} | ${ids} |`);
}
