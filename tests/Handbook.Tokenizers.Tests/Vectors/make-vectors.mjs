// Makes components.jsonl: what Hugging Face's own library does with every kind of component, on toy vocabularies.
// Usage: npm install tokenizers@0.23.2 && node make-vectors.mjs > components.jsonl
import { createRequire } from 'node:module';

const { Tokenizer } = createRequire(import.meta.url)('tokenizers');
const texts = [
  '', 'a', ' ', '  two  spaces ', 'Hello, World!', "I'm don't we'LL they've 's", 'Tab\there\nnew\r\nline\n\n\nend ', 'ÀÉÎ élan naïve Ünïcödé',
  'e\u0301 a\u030A o\u0308\u0323 decomposed', 'İstanbul ΑΣ ǅ ſtraße', '中文字符 and English 混合', 'ひらがな カタカナ ー 漢字 テスト', '가각 한국어 \u1112\u1161\u11AB',
  'ﬁ ligature ① ½ ² Ⅷ ㎏ ｆｕｌｌ', '😀 👩‍👩‍👧 𝒳 𐐀𐐨', '123 4567.89 ٣٤ १२', 'snake_case CamelCase $x^2+y~`', 'a-b--c the-final--countdown', '▁mark ▁▁ under', '<s>one</s> <mask>two <mask> </s>x <unk>',
  'zero\u200Bwidth\u200Djoin\uFEFFbom\u00ADsoft', '\u0000\u0001\u007F\u0085\u00A0\u3000ctl', 'Привет мир Γειά שלום عربي', 'x\u0300\u0301\u0316y क्षि ไทย', "l'été d'or “quotes” — dash… «guillemets»",
  'aaaaabbbbb abcabc unaffable', 'URL https://example.com/a?b=c#d a@b.c', '\n', ' \n \t x', 'AaBbCCdd 99bottles e3', 'word'.repeat(5), 'the quick brown fox jumps', 'AZe\u0301 ÁZ éZZ A\u0301 cafés',
];

const bytes = Object.fromEntries([...Array(256).keys()].map((b) => [`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`, b]));
const byteModel = { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: true, ignore_merges: false, vocab: bytes, merges: [] };
const wordModel = { type: 'WordLevel', vocab: { '<unk>': 0, the: 1, word: 2, Hello: 3 }, unk_token: '<unk>' };
const letters = (start, list) => Object.fromEntries(list.map((token, i) => [token, start + i]));
const added = (id, content, flags = {}) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...flags });
const base = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
const configurations = [];
const add = (name, parts) => configurations.push({ name, tokenizer: { ...base, model: byteModel, ...parts } });

// Normalizers: every byte of the normalized text is a token.
for (const normalizer of [
  { type: 'NFC' }, { type: 'NFD' }, { type: 'NFKC' }, { type: 'NFKD' }, { type: 'Lowercase' }, { type: 'Nmt' }, { type: 'StripAccents' },
  { type: 'Strip', strip_left: true, strip_right: true }, { type: 'Strip', strip_left: true, strip_right: false }, { type: 'Strip', strip_left: false, strip_right: true },
  { type: 'Prepend', prepend: '▁x' }, { type: 'Replace', pattern: { String: 'a' }, content: 'éé' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
  { type: 'Replace', pattern: { Regex: ' {2,}|[aeiou]' }, content: '' }, { type: 'ByteLevel' },
  { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  { type: 'BertNormalizer', clean_text: false, handle_chinese_chars: true, strip_accents: true, lowercase: false },
  { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: false, strip_accents: false, lowercase: true },
  { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }, { type: 'NFC' }] },
]) add(`normalizer ${JSON.stringify(normalizer)}`, { normalizer });

// A compiled character map by hand: a double array that takes A to "xy", é to "e" and Z to nothing (see PrecompiledNormalizer).
const units = new Uint32Array(0x300);
const leaf = 1 << 8;
units[0] = 1 << 10;
units[1 ^ 0x41] = 0x41 | leaf | (2 << 10);
units[1 ^ 0x41 ^ 2] = 0;
units[1 ^ 0x5a] = 0x5a | leaf | (2 << 10);
units[1 ^ 0x5a ^ 2] = 2;
units[1 ^ 0xc3] = 0xc3 | (0x200 << 10);
units[1 ^ 0xc3 ^ 0x200 ^ 0xa9] = 0xa9 | leaf | (1 << 10);
units[1 ^ 0xc3 ^ 0x200 ^ 0xa9 ^ 1] = 3;
const map = Buffer.concat([Buffer.from(Uint32Array.of(units.byteLength).buffer), Buffer.from(units.buffer), Buffer.from('xy\0e\0')]);
add('normalizer Precompiled', { normalizer: { type: 'Precompiled', precompiled_charsmap: map.toString('base64') } });

// Pre-tokenizers: one token a piece shows where it cuts, bytes show what it changes.
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const regexes = [
  '\\w+|[^\\w\\s]+', '(?i:a|B)c?', '[^\\p{L}]+', '\\p{Han}+|\\p{Hiragana}+', '(?<=[a-z])(?=[A-Z])', '\\b\\w', '[a-f&&[^bc]]+', '[[:punct:]]', 'a{2,3}?b*+', '(?>a+|b)b',
  '^.|.$', '\\p{Lu}\\p{Ll}*(?!x)', '(?:[^\\r\\n\\p{L}\\p{N}]?\\p{L}+)|\\p{N}{1,2}', '[\\x{4E00}-\\u9FFF]', '\\d+(?:\\.\\d+)?', '[[:alpha:]]+', "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
];
const preTokenizers = [
  { type: 'Whitespace' }, { type: 'WhitespaceSplit' }, { type: 'BertPreTokenizer' }, { type: 'UnicodeScripts' }, { type: 'FixedLength', length: 3 },
  { type: 'CharDelimiterSplit', delimiter: '-' }, { type: 'Digits', individual_digits: true }, { type: 'Digits', individual_digits: false },
  ...['always', 'first', 'never'].flatMap((prepend_scheme) => [true, false].map((split) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split }))),
  ...[true, false].flatMap((add_prefix_space) => [true, false].map((use_regex) => ({ type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex }))),
  ...behaviors.map((behavior) => ({ type: 'Punctuation', behavior })),
  ...behaviors.flatMap((behavior) => [true, false].map((invert) => ({ type: 'Split', pattern: { String: '-' }, behavior, invert }))),
  ...regexes.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })),
  { type: 'Split', pattern: { Regex: '\\w+' }, behavior: 'Removed', invert: true },
  { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }, { type: 'Digits', individual_digits: true }] },
];
for (const pre_tokenizer of preTokenizers) {
  add(`words ${JSON.stringify(pre_tokenizer)}`, { pre_tokenizer, model: wordModel });
  if (/Metaspace|ByteLevel/.test(pre_tokenizer.type)) add(`bytes ${JSON.stringify(pre_tokenizer)}`, { pre_tokenizer });
}

// Models.
const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const unigram = [['<unk>', 0], ['▁', -3], ['a', -2.5], ['b', -2.7], ['ab', -3.1], ['abc', -3.3], ['the', -2], ['▁the', -1.5], ['e', -2.2], ['h', -2.9], ['t', -2.8], ['▁qu', -4], ['ick', -4.5], ['中', -6], ['lo', -3.7], ['l', -3], ['o', -3]];
add('unigram', { pre_tokenizer: metaspace, model: { type: 'Unigram', unk_id: 0, vocab: unigram, byte_fallback: false }, decoder: metaspace });
add('unigram bytes', { model: { type: 'Unigram', unk_id: 0, vocab: [...unigram, ...Object.keys(bytes).map((token) => [token, -9])], byte_fallback: true } });
const pieces = ['[UNK]', 'un', '##aff', '##able', 'the', 'qu', '##ick', 'b', '##r', '##own', 'a', '##a', '##b', '##c', 'w', '##ord', '中', '##文', 'Hello', ',', '!'];
add('wordpiece', { pre_tokenizer: { type: 'BertPreTokenizer' }, model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: letters(0, pieces) }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true } });
const chars = [...'abcdefghijklmnopqrstuvwxyz'];
const merges = [['a', 'b'], ['ab', 'c'], ['t', 'h'], ['th', 'e'], ['o', 'r'], ['w', 'or']];
const bpe = (extra, vocab = {}, list = merges) => ({ ...byteModel, byte_fallback: false, vocab: { ...letters(0, ['<unk>', ...chars, 'ab', 'abc', 'th', 'the', 'or', 'wor']), ...vocab }, merges: list, ...extra });
add('bpe unk', { model: bpe({ unk_token: '<unk>' }) });
add('bpe fuse unk', { model: bpe({ unk_token: '<unk>', fuse_unk: true }) });
add('bpe no unk', { model: bpe({}), pre_tokenizer: { type: 'WhitespaceSplit' } });
add('bpe ignore merges', { model: bpe({ unk_token: '<unk>', ignore_merges: true }, { quick: 90, brown: 91 }), pre_tokenizer: { type: 'WhitespaceSplit' } });
add('bpe suffix', { model: bpe({ unk_token: '<unk>', end_of_word_suffix: '</w>' }, { ...letters(100, chars.map((c) => `${c}</w>`)), 'he</w>': 130, 'the</w>': 131 }, [['h', 'e</w>'], ['t', 'he</w>'], ['a', 'b']]), pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { type: 'BPEDecoder', suffix: '</w>' } });
add('bpe prefix', { model: bpe({ unk_token: '<unk>', continuing_subword_prefix: '##' }, { ...letters(100, chars.map((c) => `##${c}`)), '##ab': 130, th: 131 }, [['##a', '##b'], ['t', '##h']]), pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: false } });
const { '<0xE4>': _, ...someBytes } = bytes;
add('bpe some bytes', { model: { ...byteModel, unk_token: '<unk>', fuse_unk: true, vocab: { ...someBytes, '<unk>': 228, a: 300, '▁': 301 } } });

// Added tokens.
const flags = ['single_word', 'lstrip', 'rstrip', 'normalized'];
for (let bits = 0; bits < 16; bits++) {
  const set = Object.fromEntries(flags.map((flag, i) => [flag, (bits >> i & 1) === 1]));
  add(`added ${bits}`, { added_tokens: [added(300, '<mask>', set), added(301, 'two', { ...set, special: false }), added(302, '<s>')], normalizer: { type: 'Lowercase' } });
}
add('added longest', { added_tokens: [added(300, 'ab'), added(301, 'abc'), added(302, '  '), added(303, ' '), added(304, '--')] });
add('added prepend', { added_tokens: [added(300, '<s>', { normalized: true }), added(301, '</s>', { normalized: true }), added(302, '<unk>')], normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] } });

// Post-processors.
const special = [added(300, '[CLS]'), added(301, '[SEP]')];
const gpt = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
const printable = (b) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
let next = 0x100;
const alphabet = Object.fromEntries([...Array(256).keys()].map((b) => [String.fromCodePoint(printable(b) ? b : next++), b]));
const byteLevel = { ...byteModel, byte_fallback: false, vocab: { ...alphabet, 'Ġt': 256, 'Ġth': 257, 'ĠĠ': 258, 'Ċ Ċ': 259, 'tĠ': 260 }, merges: [['Ġ', 't'], ['Ġt', 'h'], ['Ġ', 'Ġ'], ['t', 'Ġ']] };
for (const post_processor of [
  { type: 'BertProcessing', sep: ['[SEP]', 301], cls: ['[CLS]', 300] },
  ...[true, false].flatMap((trim_offsets) => [true, false].map((add_prefix_space) => ({ type: 'RobertaProcessing', sep: ['[SEP]', 301], cls: ['[CLS]', 300], trim_offsets, add_prefix_space }))),
  ...[true, false].flatMap((trim_offsets) => [true, false].map((add_prefix_space) => ({ type: 'ByteLevel', trim_offsets, add_prefix_space, use_regex: true }))),
  { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '[SEP]', type_id: 0 } }], pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }], special_tokens: { '[CLS]': { id: '[CLS]', ids: [300], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [301, 300], tokens: ['[SEP]', '[CLS]'] } } },
]) {
  for (const add_prefix_space of [true, false]) add(`post ${JSON.stringify(post_processor)} ${add_prefix_space}`, { added_tokens: special, model: byteLevel, pre_tokenizer: { ...gpt, add_prefix_space, use_regex: false }, post_processor, decoder: gpt });
}

// Decoders: over ids, not texts.
const words = ['<pad>', '|', 'h', '##llo', '▁the', '▁', '<0xE4>', '<0xB8>', '<0xAD>', '<0x41>', 'x</w>', 'y</w>', ' .', "n't", ' do not', 'Ġa', 'Ã©', 'Ċ', 'plain é', ' ', '  two', '[CLS]'];
const decoders = [
  null, gpt, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'WordPiece', prefix: '##', cleanup: true }, { type: 'WordPiece', prefix: '##', cleanup: false }, { type: 'BPEDecoder', suffix: '</w>' },
  { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true }, { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: false },
  { type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'Replace', pattern: { Regex: '[ĠĊ]|l+' }, content: '_' },
  ...['always', 'first', 'never'].map((prepend_scheme) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split: true })),
  { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
  { type: 'Sequence', decoders: [{ type: 'Fuse' }, { type: 'Strip', content: ' ', start: 2, stop: 1 }] },
];
const idLists = [];
for (let i = 0, seed = 12345; i < 24; i++) {
  const list = [];
  for (let k = 0; k < 1 + (i % 9); k++) { seed = (seed * 1103515245 + 12345) % 2147483648; list.push((seed >> 8) % words.length); }
  idLists.push(list);
}
idLists.push([6, 7, 8], [6, 7], [9, 6, 7, 8, 9], [2, 2, 0, 2, 1, 1, 3], [4, 4, 5, 5], [10, 11], [500, 2, 21]);

// Texts and the models used often stand in the first line; each other line is a tokenizer and what it gives for every text.
const models = { bytes: byteModel, words: wordModel, byteLevel };
const nameOf = (model) => Object.keys(models).find((key) => models[key] === model) ?? model;
console.log(JSON.stringify({ texts, models }));
for (const { name, tokenizer } of configurations) {
  const encoder = Tokenizer.fromString(JSON.stringify(tokenizer));
  const [ids, offsets, special, decoded] = [[], [], [], []];
  for (const text of texts) {
    const plain = await encoder.encode(text, null, { addSpecialTokens: false });
    ids.push(plain.getIds());
    offsets.push(plain.getOffsets().flat());
    if (tokenizer.post_processor) special.push((await encoder.encode(text, null, { addSpecialTokens: true })).getIds());
    if (tokenizer.decoder) decoded.push(await encoder.decode(plain.getIds(), false));
  }
  console.log(JSON.stringify({ name, tokenizer: { ...tokenizer, model: nameOf(tokenizer.model) }, ids, offsets, special, decoded }));
}
for (const decoder of decoders) {
  const tokenizer = { ...base, added_tokens: [added(21, '[CLS]')], model: { ...wordModel, vocab: letters(0, words), unk_token: 'h' }, decoder };
  const encoder = Tokenizer.fromString(JSON.stringify(tokenizer));
  const [decoded, skipped] = [[], []];
  for (const ids of idLists) {
    decoded.push(await encoder.decode(ids, false));
    skipped.push(await encoder.decode(ids, true));
  }
  console.log(JSON.stringify({ name: `decoder ${JSON.stringify(decoder)}`, tokenizer, decode: idLists, decoded, skipped }));
}
