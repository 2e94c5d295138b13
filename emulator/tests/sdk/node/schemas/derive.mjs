// Makes emulator/tests/schemas/*.json from the types of the npm package `stripe`, at the release whose API version the
// emulator serves: `make schemas`. It runs by hand, when that version or the scope changes; the tests read its output.
// With `--check` it writes nothing and fails if the files are not what it would write.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { Objects } from './objects.mjs';
import { calls, tree } from './parameters.mjs';
import { RESOURCES } from './scope.mjs';

const esm = path.join(import.meta.dirname, '../node_modules/stripe-endive/esm');
const target = path.join(import.meta.dirname, '../../../schemas');

const files = RESOURCES.map((name) => path.join(esm, `resources/${name}.d.ts`));
const program = ts.createProgram([...files, path.join(esm, 'Types.d.ts')], {
  strict: true,
  noEmit: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
});
const checker = program.getTypeChecker();
const exportsOf = (file) => checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
const typeNamed = (file, name) => checker.getDeclaredTypeOfSymbol(exportsOf(file).find((one) => one.name === name));

const version = /'(.*)'/.exec(readFileSync(path.join(esm, 'apiVersion.js'), 'utf8'))[1];
const from = `npm stripe@${JSON.parse(readFileSync(path.join(esm, '../package.json'), 'utf8')).version}`;

function objects() {
  const known = new Objects(checker, (declaration) => files.includes(declaration.getSourceFile().fileName));
  const methods = exportsOf(path.join(esm, 'resources/PaymentMethods.d.ts')).find((one) => one.name === 'PaymentMethod');
  const kind = checker.getExportsOfModule(methods).find((one) => one.name === 'Type');
  known.learnPaymentMethods(checker.getDeclaredTypeOfSymbol(kind));
  const byObject = {};
  for (const symbol of files.flatMap(exportsOf)) {
    if (!(symbol.flags & ts.SymbolFlags.Interface) || /Params$|Event$/.test(symbol.name)) continue;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const object = symbol.name === 'EventBase' ? 'event' : known.objectOf(type);
    if (object === undefined) continue;
    const isDeleted = symbol.name.startsWith('Deleted');
    byObject[isDeleted ? `deleted ${object}` : object] = known.reference(type).$ref;
  }
  const error = typeNamed(path.join(esm, 'resources/PaymentIntents.d.ts'), 'PaymentIntent').symbol;
  const last = error.exports.get('LastPaymentError');
  known.reference(checker.getDeclaredTypeOfSymbol(last));
  return { version, from, byObject: sorted(byObject), events: events(known), $defs: sorted(known.definitions) };
}

/** Which object each type of event is about. */
function events(known) {
  const about = {};
  for (const symbol of exportsOf(path.join(esm, 'resources/Events.d.ts'))) {
    if (!/Event$/.test(symbol.name) || !(symbol.flags & ts.SymbolFlags.Interface)) continue;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const at = (parent, name) => checker.getTypeOfSymbol(parent.getProperty(name));
    const object = known.objectOf(at(at(type, 'data'), 'object'));
    if (object !== undefined) about[at(type, 'type').value] = object;
  }
  return sorted(about);
}

function parameters() {
  const endpoints = {};
  for (const name of RESOURCES) {
    const js = path.join(esm, `resources/${name}.js`);
    const source = ts.createSourceFile(js, readFileSync(js, 'utf8'), ts.ScriptTarget.ES2022, true);
    const declared = exportsOf(path.join(esm, `resources/${name}.d.ts`));
    for (const { resource, method, endpoint } of calls(source)) {
      const type = checker.getDeclaredTypeOfSymbol(declared.find((one) => one.name === resource));
      const params = tree(checker, type.getProperty(method));
      endpoints[endpoint] = sorted({ ...endpoints[endpoint], ...params });
    }
  }
  return { version, from, endpoints: sorted(endpoints) };
}

const sorted = (map) => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Where `--check` finds the file as it should be, nothing is said; otherwise the file is written. */
function keep(name, parts) {
  const [file, text] = [path.join(target, name), format(parts)];
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) throw new Error(`${name} is not what the types say: run \`make schemas\``);
}

/** JSON with a line for each entry of each part, so that a new release makes a diff that can be read. */
function format(parts) {
  const lines = Object.entries(parts).map(([part, value]) => {
    if (typeof value === 'string') return `${JSON.stringify(part)}: ${JSON.stringify(value)}`;
    const entries = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`);
    return `${JSON.stringify(part)}: {\n${entries.join(',\n')}\n}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

keep('objects.json', objects());
keep('parameters.json', parameters());
