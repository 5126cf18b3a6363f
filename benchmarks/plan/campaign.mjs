// Holds `handbook plan` against runs: peak resident memory and seconds of a step, predicted and measured, as rows of a Markdown table.
//   node benchmarks/plan/campaign.mjs --handbook ./handbook --tokenizer FOLDER [--only TEXT] [--without TEXT] [--budget SECONDS]
// Every run is a process of its own, whose peak is read from /proc while it lives; a step's time is that between its progress lines.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const option = (name, otherwise) => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise;
const handbook = resolve(option('--handbook', './handbook'));
const tokenizer = resolve(option('--tokenizer'));
const only = option('--only', '');
const without = option('--without', 'nothing');
const began = Date.now();
const budget = 1000 * Number(option('--budget', '36000'));
const folder = mkdtempSync(join(tmpdir(), 'handbook-plan-'));

const shapes = {
  small: { hidden_size: 384, intermediate_size: 1024, num_hidden_layers: 12, num_attention_heads: 6, num_key_value_heads: 2 },
  '135m': { hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3 },
};
const ways = {
  full: {},
  'full, recomputed': { gradient_checkpointing: true },
  lora: { use_peft: true, lora_target_modules: ['all-linear'] },
  'lora, recomputed': { use_peft: true, lora_target_modules: ['all-linear'], gradient_checkpointing: true },
  qlora: { use_peft: true, lora_target_modules: ['all-linear'], load_in_4bit: true },
  'qlora, recomputed': { use_peft: true, lora_target_modules: ['all-linear'], load_in_4bit: true, gradient_checkpointing: true },
};
const cases = [];
for (const shape of Object.keys(shapes)) {
  for (const task of ['sft', 'dpo']) {
    for (const [i, way] of Object.keys(ways).entries()) {
      // Every length with every method and way of training, in turn.
      const lengths = task === 'sft' ? [[256, 4], [1024, 1], [2048, 1], [8192, 1]] : [[256, 2], [1024, 1], [4096, 1]];
      const shift = shape === 'small' ? 0 : 1;
      const chosen = task === 'sft' ? [lengths[(i + shift) % 4], lengths[(i + shift + 2) % 4]] : [lengths[(i + shift) % 3]];
      for (const [tokens, rows] of chosen) cases.push({ shape, task, way, tokens, rows });
    }
  }
}

const words = (word, count) => Array(count).fill(` ${word}`).join('');

function prepare({ shape, task, way, tokens, rows }) {
  const here = mkdtempSync(join(folder, 'case-'));
  const half = Math.floor(tokens / 2);
  const row = task === 'sft'
    ? { text: words('the', tokens - 1) }
    : { prompt: words('the', half), chosen: words('cat', half - 1), rejected: words('dog', half - 1) };
  writeFileSync(join(here, 'rows.jsonl'), Array(8).fill(JSON.stringify(row) + '\n').join(''));
  const recipe = {
    task: task === 'sft' ? 'cpt' : 'dpo', tokenizer_name_or_path: tokenizer, dataset_name: join(here, 'rows.jsonl'), output_dir: join(here, 'out'),
    model_name_or_path: model(shape), max_length: tokens + 8, per_device_train_batch_size: rows, max_steps: 3, logging_steps: 1, save_strategy: 'no',
    check_memory: false,
    ...(task === 'dpo' ? { max_prompt_length: tokens, precompute_ref_log_probs: false } : { packing: false }), ...ways[way],
  };
  writeFileSync(join(here, 'recipe.yaml'), JSON.stringify(recipe, null, 1));
  return join(here, 'recipe.yaml');
}

// A model of random weights that the tool makes: one step of pretraining at a learning rate of 0.
const models = {};
function model(shape) {
  if (models[shape]) return models[shape];
  const here = join(folder, shape);
  mkdirSync(here);
  writeFileSync(join(here, 'rows.jsonl'), '{"text": " the cat"}\n');
  const config = {
    model_type: 'llama', ...shapes[shape], max_position_embeddings: 16384, rms_norm_eps: 1e-5, rope_theta: 100000, tie_word_embeddings: true,
  };
  writeFileSync(join(here, 'recipe.yaml'), JSON.stringify({
    task: 'cpt', model_config: config, tokenizer_name_or_path: tokenizer, dataset_name: join(here, 'rows.jsonl'), output_dir: join(here, 'out'),
    max_steps: 1, learning_rate: 0, save_strategy: 'no', max_length: 32, torch_dtype: 'bfloat16',
  }));
  run(['cpt', join(here, 'recipe.yaml')]);
  return models[shape] = join(here, 'out');
}

function run(words) {
  const done = spawnSync(handbook, words, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`${words.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

function measure(task, recipe) {
  return new Promise((settle, fail) => {
    const child = spawn(handbook, [task, recipe], { env: { ...process.env, HANDBOOK_CACHE: join(recipe, '..', 'cache') } });
    let peak = 0, text = '', error = '';
    const times = [];
    const timer = setInterval(() => {
      try {
        peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
      } catch { /* it has ended */ }
    }, 20);
    const read = part => {
      text += part;
      for (let found; (found = /step (\d+)\/\d+ /.exec(text)); text = text.slice(found.index + 5)) times.push(Date.now());
    };
    child.stdout.on('data', read);
    child.stderr.on('data', part => { error += part; read(part.toString()); });
    child.on('close', code => {
      clearInterval(timer);
      if (code !== 0) fail(new Error(`${recipe}: ${error}`));
      else settle({ peak, seconds: (times.at(-1) - times[0]) / 1000 / (times.length - 1) });
    });
  });
}

const share = (planned, measured) => `${planned >= measured ? '+' : ''}${(100 * (planned / measured - 1)).toFixed(1)} %`;
console.log('| shape | method | weights | tokens x rows | memory, GB: planned | measured | off by | step, s: planned | measured | off by |');
console.log('|---|---|---|---|---|---|---|---|---|---|');
const off = { memory: [], time: [] };
try {
  for (const one of cases) {
    const name = `${one.shape} ${one.task} ${one.way} ${one.tokens}`;
    if (!name.includes(only) || name.includes(without) || Date.now() - began > budget) continue;
    const recipe = prepare(one);
    const task = one.task === 'sft' ? 'cpt' : 'dpo';
    const plan = JSON.parse(run(['plan', recipe, '--json', '--brief']));
    const real = await measure(task, recipe);
    off.memory.push(Math.abs(plan.peak_bytes / real.peak - 1));
    off.time.push(Math.abs(plan.step_seconds / real.seconds - 1));
    console.log(`| ${one.shape} | ${one.task} | ${one.way} | ${one.tokens} x ${one.rows} | ${(plan.peak_bytes / 1e9).toFixed(2)} `
      + `| ${(real.peak / 1e9).toFixed(2)} | ${share(plan.peak_bytes, real.peak)} | ${plan.step_seconds.toFixed(2)} `
      + `| ${real.seconds.toFixed(2)} | ${share(plan.step_seconds, real.seconds)} |`);
    rmSync(join(recipe, '..'), { recursive: true, force: true });
  }
  const worst = values => `${(100 * Math.max(...values)).toFixed(1)} % at worst, ${(100 * values.reduce((a, b) => a + b, 0) / values.length).toFixed(1)} % on average`;
  console.log(`\n${off.memory.length} runs; memory off by ${worst(off.memory)}; time off by ${worst(off.time)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
