// Reads which parameters each endpoint has: the verb and the path from the package's code, the names from its types.
// The result is a tree for each endpoint. Its leaves are values of the right type as a form has them, its lists have
// one element, the name of a parameter that must be there ends in an exclamation mark, and a map has one field, x.
// What is deeper than the trees go is a question mark.

import ts from 'typescript';

const DEPTH = 6;

/** Every call of `_makeRequest` in a resource's code: which method of which class asks for what. */
export function calls(source) {
  const found = [];
  for (const type of source.statements.filter(ts.isClassDeclaration)) {
    for (const method of type.members.filter(ts.isMethodDeclaration)) {
      const visit = (node) => {
        if (ts.isCallExpression(node) && node.expression.getText(source) === 'this._makeRequest') {
          const [verb, path] = node.arguments;
          found.push({ resource: type.name.text, method: method.name.text, endpoint: `${verb.text} ${pattern(path)}` });
        }
        ts.forEachChild(node, visit);
      };
      visit(method);
    }
  }
  return found;
}

/** `/v1/customers/${encodeURIComponent(id)}` becomes `/v1/customers/:id`. */
function pattern(node) {
  if (!ts.isTemplateExpression(node)) return node.text;
  return node.head.text + node.templateSpans.map((span) => `:id${span.literal.text}`).join('');
}

/** The tree of a method's parameters; empty if it takes none. */
export function tree(checker, method) {
  const declaration = method.declarations[0];
  const merged = {};
  for (const signature of checker.getTypeOfSymbolAtLocation(method, declaration).getCallSignatures()) {
    const params = signature.parameters.find((one) => one.name === 'params');
    if (params) Object.assign(merged, fields(checker, checker.getTypeOfSymbolAtLocation(params, declaration), 0));
  }
  return merged;
}

function fields(checker, type, depth) {
  const found = {};
  for (const property of checker.getNonNullableType(type).getProperties()) {
    const must = property.flags & ts.SymbolFlags.Optional ? '' : '!';
    found[property.name + must] = value(checker, checker.getTypeOfSymbol(property), depth + 1);
  }
  return found;
}

function value(checker, given, depth) {
  const type = checker.getNonNullableType(given);
  const types = (type.isUnion() ? type.types : [type]).filter((one) => !(one.isStringLiteral() && one.value === ''));
  const is = (flag) => types.find((one) => one.flags & flag);
  const list = types.find((one) => checker.isArrayType(one));
  if (list && depth < DEPTH) return [value(checker, checker.getTypeArguments(list)[0], depth)];
  const word = types.find((one) => one.isStringLiteral());
  if (word) return word.value;
  if (is(ts.TypeFlags.NumberLike)) return '1';
  if (is(ts.TypeFlags.BooleanLike)) return 'true';
  if (types.some((one) => one.aliasSymbol?.name === 'Decimal')) return '1';
  const hash = is(ts.TypeFlags.Object);
  if (is(ts.TypeFlags.StringLike)) return 'x';
  if (!hash || depth >= DEPTH) return '?';
  return hash.getStringIndexType() ? { x: value(checker, hash.getStringIndexType(), depth) } : fields(checker, hash, depth);
}
