// Speed of Hugging Face's own `tokenizers` (its Node binding) on the text and documents that `handbook bench tokenizer` uses.
// Usage: RAYON_NUM_THREADS=1 node huggingface.mjs <tokenizer folder or tokenizer.json> <text file> [seconds]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The binding is fetched once, beside what the build makes.
const here = dirname(fileURLToPath(import.meta.url));
const home = join(here, '..', '..', 'artifacts', 'npm');
if (!existsSync(join(home, 'node_modules', 'tokenizers'))) {
  mkdirSync(home, { recursive: true });
  copyFileSync(join(here, 'package.json'), join(home, 'package.json'));
  execFileSync('npm', ['install', '--silent'], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] });
}
const { Tokenizer } = createRequire(join(home, 'package.json'))('tokenizers');
const [folder, textFile, seconds = '3'] = process.argv.slice(2);
function load() {
  const loaded = Tokenizer.fromFile(statSync(folder).isDirectory() ? join(folder, 'tokenizer.json') : folder);
  loaded.disableTruncation();
  loaded.disablePadding();
  return loaded;
}
const tokenizer = load();

// The same cut as TokenizerBenchmark.CutIntoDocuments: whole lines, at least 8192 UTF-16 code units each.
function cutIntoDocuments(text) {
  const documents = [];
  for (let start = 0; start < text.length;) {
    const enough = Math.min(start + 8192, text.length) - 1;
    const line = text.indexOf('\n', enough);
    const end = line < 0 ? text.length : line + 1;
    documents.push(text.slice(start, end));
    start = end;
  }
  return documents;
}

const options = { addSpecialTokens: false };
const documents = cutIntoDocuments(readFileSync(textFile, 'utf8'));
const bytes = documents.reduce((sum, document) => sum + Buffer.byteLength(document), 0);
const hash = createHash('sha256');
let tokens = 0;
for (const document of documents) {
  const ids = (await tokenizer.encode(document, null, options)).getIds();
  tokens += ids.length;
  hash.update(new Uint8Array(Int32Array.from([...ids, -1]).buffer));
}

async function measure(pass, prepare = () => {}) {
  const times = [];
  const begin = performance.now();
  do {
    prepare();
    const start = performance.now();
    await pass();
    times.push((performance.now() - start) / 1000);
  } while (performance.now() - begin < Number(seconds) * 1000);
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1];
  return { megabytes_per_second: bytes / median / 1e6, tokens_per_second: tokens / median };
}

// Text that a tokenizer meets for the first time: a fresh one for every pass, loaded outside the clock.
let fresh = tokenizer;
const firstPass = await measure(async () => {
  for (const document of documents) await fresh.encode(document, null, options);
}, () => { fresh = load(); });
// One document at a time is one thread: the binding runs each call on one worker. Encodings are not copied into JavaScript.
const oneThread = await measure(async () => {
  for (const document of documents) await tokenizer.encode(document, null, options);
});
const batch = await measure(() => tokenizer.encodeBatch(documents, options));
console.log(JSON.stringify({
  documents: documents.length, bytes, tokens, ids_sha256: hash.digest('hex'), first_pass: firstPass, one_thread: oneThread, batch,
}));
