import type { Expression, Order } from './expression.ts';

/** The expression with what `replace` gives in place of its parts; null leaves a part, and goes on with the parts in it. */
export function mapExpression(expression: Expression, replace: (part: Expression) => Expression | null): Expression {
  const map = (part: Expression) => mapExpression(part, replace);
  const replaced = replace(expression);
  if (replaced !== null) return replaced;
  switch (expression.kind) {
    case 'literal':
    case 'column':
      return expression;
    case 'cast':
    case 'not':
    case 'isNull':
      return { ...expression, of: map(expression.of) };
    case 'binary':
      return { ...expression, left: map(expression.left), right: map(expression.right) };
    case 'case': {
      const whens = expression.whens.map(({ when, gives }) => ({ when: map(when), gives: map(gives) }));
      return { ...expression, whens, otherwise: map(expression.otherwise) };
    }
    case 'call': {
      const { over } = expression;
      const args = expression.args.map(map);
      if (over === null) return { ...expression, args };
      const orderBy = over.orderBy.map((order): Order => ({ ...order, by: map(order.by) }));
      return { ...expression, args, over: { partitionBy: over.partitionBy.map(map), orderBy } };
    }
  }
}

/** Whether a part of the expression is such. */
export function someExpression(expression: Expression, is: (part: Expression) => boolean): boolean {
  let found = false;
  mapExpression(expression, (part) => {
    found ||= is(part);
    return null;
  });
  return found;
}
