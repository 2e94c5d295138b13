// Turns the package's interfaces into JSON Schema, strictly: what is not optional is required, what is unknown is
// refused. It uses only type, const, enum, anyOf, $ref, properties, required, additionalProperties and items, which
// is what tests/it/schema.rs reads.
//
// An object that is out of scope can only be an id or null. An enum that Stripe calls open (`| OtherString`) is
// closed here, as the emulator has no values that the types do not know.

import ts from 'typescript';
import { ANY_OBJECT, KEPT_PAYMENT_METHODS, LEFT_OUT } from './scope.mjs';

export class Objects {
  #checker;
  #inScope;
  #otherMethods = new Set();
  definitions = {};

  /** `inScope` says whether a declaration's file is one of ours. */
  constructor(checker, inScope) {
    this.#checker = checker;
    this.#inScope = inScope;
  }

  /** Learns from `PaymentMethod.Type` which words are payment methods. */
  learnPaymentMethods(type) {
    const words = type.types.filter((one) => one.isStringLiteral()).map((one) => one.value);
    this.#otherMethods = new Set(words.filter((word) => !KEPT_PAYMENT_METHODS.includes(word)));
  }

  /** The reference to the definition of a named interface, which is made if it is new. */
  reference(type) {
    const name = nameOf(type);
    if (!(name in this.definitions)) {
      this.definitions[name] = null;
      this.definitions[name] = this.#structure(type, name);
    }
    return { $ref: `#/$defs/${name}` };
  }

  /** The value of an object's `object`, if it has one. */
  objectOf(type) {
    const property = type.getProperty?.('object');
    const is = property && this.#checker.getTypeOfSymbol(property);
    return is?.isStringLiteral() ? is.value : undefined;
  }

  schema(type) {
    const flags = type.flags;
    if (type.isUnion()) return this.#union(type.types);
    if (type.aliasSymbol?.name === 'Decimal') return { type: 'string' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' };
    if (flags & ts.TypeFlags.StringLike) return { type: 'string' };
    if (flags & ts.TypeFlags.NumberLike) return { type: 'number' };
    if (flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (this.#checker.isArrayType(type)) {
      return { type: 'array', items: this.schema(this.#checker.getTypeArguments(type)[0]) };
    }
    if (flags & ts.TypeFlags.Object) return this.#object(type);
    throw new Error(`no schema for ${this.#checker.typeToString(type)}`);
  }

  #object(type) {
    const isGeneric = this.#checker.getTypeArguments(type).length > 0;
    const isNamed = type.symbol && !type.symbol.name.startsWith('__');
    return isNamed && !isGeneric ? this.reference(type) : this.#structure(type, '');
  }

  #structure(type, name) {
    if (ANY_OBJECT.includes(name)) return { type: 'object' };
    const values = type.getStringIndexType();
    const properties = {};
    const required = [];
    for (const property of type.getProperties()) {
      const is = withoutUndefined(this.#checker.getTypeOfSymbol(property));
      const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      if (is.flags & ts.TypeFlags.Void || LEFT_OUT[name]?.includes(property.name)) continue;
      if (isOptional && this.#otherMethods.has(property.name)) continue;
      const schema = this.schema(is);
      if (schema.anyOf?.length === 0) continue;
      properties[property.name] = schema;
      if (!isOptional) required.push(property.name);
    }
    return {
      type: 'object',
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(required.length > 0 && { required }),
      additionalProperties: values ? this.schema(values) : false,
    };
  }

  #union(types) {
    const words = types.filter((one) => one.isStringLiteral()).map((one) => one.value).sort();
    const plain = new Set();
    const others = [];
    for (const one of types) {
      if (one.isStringLiteral() || one.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) continue;
      if (one.isIntersection() && words.length > 0) continue; // OtherString
      if (this.#isOutOfScope(one)) continue;
      const schema = one.flags & ts.TypeFlags.BooleanLiteral ? { type: 'boolean' } : this.schema(one);
      if (typeof schema.type === 'string' && Object.keys(schema).length === 1) plain.add(schema.type);
      else others.push(schema);
    }
    if (words.length > 0 && others.length === 0) {
      return { enum: plain.has('null') ? [...words, null] : words };
    }
    if (words.length > 0) others.push({ enum: words });
    if (plain.size > 0) others.push({ type: plain.size > 1 ? [...plain].sort() : [...plain][0] });
    return others.length === 1 ? others[0] : { anyOf: others };
  }

  #isOutOfScope(type) {
    if (!(type.flags & ts.TypeFlags.Object) || this.objectOf(type) === undefined) return false;
    if (this.#checker.getTypeArguments(type).length > 0) return false;
    return !this.#inScope(type.symbol.declarations[0]);
  }
}

/** `Checkout.Session.AutomaticTax`: the declaration's namespaces, under the folder of its file. */
export function nameOf(type) {
  const declaration = type.symbol.declarations[0];
  const names = [];
  for (let node = declaration; node; node = node.parent) {
    if (node.name && ts.isIdentifier(node.name)) names.unshift(node.name.text);
  }
  const folder = /resources\/(\w+)\/\w+\.d\.ts$/.exec(declaration.getSourceFile().fileName);
  return [...(folder ? [folder[1]] : []), ...names].join('.');
}

/** The same type for a property that is there: `undefined` only says that it may be absent. */
function withoutUndefined(type) {
  if (!type.isUnion()) return type;
  const left = type.types.filter((one) => !(one.flags & ts.TypeFlags.Undefined));
  return left.length === 1 ? left[0] : type;
}
