import ts from 'typescript';
import type { Edit } from './mutant.ts';
import { sqlEdits } from './sql.ts';

const swaps: Partial<Record<ts.SyntaxKind, string[]>> = {
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: ['!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: ['==='],
  [ts.SyntaxKind.LessThanToken]: ['<=', '>='],
  [ts.SyntaxKind.LessThanEqualsToken]: ['<', '>'],
  [ts.SyntaxKind.GreaterThanToken]: ['>=', '<='],
  [ts.SyntaxKind.GreaterThanEqualsToken]: ['>', '<'],
  [ts.SyntaxKind.PlusToken]: ['-'],
  [ts.SyntaxKind.MinusToken]: ['+'],
  [ts.SyntaxKind.AsteriskToken]: ['+'],
  [ts.SyntaxKind.AmpersandAmpersandToken]: ['||'],
  [ts.SyntaxKind.BarBarToken]: ['&&'],
};

const methods: Record<string, string> = {
  min: 'max',
  max: 'min',
  some: 'every',
  every: 'some',
  greaterThan: 'greaterThanOrEqualTo',
  lessThanOrEqualTo: 'lessThan',
  plus: 'minus',
  minus: 'plus',
};

/** Every change that breaks a file of src/ in one place: as `sqlEdits`, which breaks the SQL in it. */
export function typescriptEdits(text: string): Edit[] {
  const file = ts.createSourceFile('mutant.ts', text, ts.ScriptTarget.Latest, true);
  const edits: Edit[] = [];
  const visit = (node: ts.Node) => {
    if (!ts.isTypeNode(node)) edits.push(...editsOf(node, text));
    if (!ts.isTypeNode(node)) ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}

function editsOf(node: ts.Node, text: string): Edit[] {
  if (ts.isBinaryExpression(node)) return editsOfOperator(node);
  if (ts.isIfStatement(node)) return ['true', 'false'].map((by) => replace(node.expression, by));
  if (ts.isConditionalExpression(node)) return ['true', 'false'].map((by) => replace(node.condition, by));
  if (ts.isPropertyAccessExpression(node)) return editsOfCall(node.name);
  if (ts.isNumericLiteral(node)) return [replace(node, String(Number(node.text) + 1))];
  if (ts.isTaggedTemplateExpression(node)) return editsOfSql(node.template, text);
  const isNot = ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken;
  return isNot ? [replace(node, node.operand.getText())] : [];
}

function replace(part: ts.Node, by: string): Edit {
  return { start: part.getStart(), end: part.end, with: by };
}

function editsOfOperator(node: ts.BinaryExpression): Edit[] {
  const { left, operatorToken: operator, right } = node;
  if (operator.kind === ts.SyntaxKind.QuestionQuestionToken)
    return [left, right].map((side) => replace(node, side.getText()));
  return (swaps[operator.kind] ?? []).map((by) => replace(operator, by));
}

function editsOfCall(name: ts.MemberName): Edit[] {
  const by = Object.hasOwn(methods, name.text) ? methods[name.text] : undefined;
  return by === undefined ? [] : [replace(name, by)];
}

/** In SQL between backquotes each `${…}` stands for a name. */
function editsOfSql(template: ts.TemplateLiteral, text: string): Edit[] {
  const from = template.getStart() + 1;
  let sql = text.slice(from, template.end - 1);
  const holes = ts.isNoSubstitutionTemplateLiteral(template) ? [] : template.templateSpans;
  for (const hole of holes) {
    const [start, end] = [hole.expression.pos - 2 - from, hole.literal.getStart() + 1 - from];
    sql = sql.slice(0, start) + 'h'.repeat(end - start) + sql.slice(end);
  }
  return sqlEdits(sql)
    .filter(({ with: by }) => !by.includes('hhh'))
    .map((edit) => ({ ...edit, start: edit.start + from, end: edit.end + from }));
}
