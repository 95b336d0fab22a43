/**
 * House rules that no published plugin has, as an eslint plugin of our own.
 * Each message says what to do instead.
 */

const FILE_NAME =
  /^[.]?[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|config|integration\.test|e2e\.test|sim\.test|d))?\.[cm]?[jt]s$/;

/** Names that an `export` statement with a declaration brings out. */
function exportedNames(declaration) {
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap(({ id }) =>
      id.type === 'Identifier' ? [id.name] : [],
    );
  }
  return declaration.id ? [declaration.id.name] : [];
}

/** True when a doc comment ends right above `node`. */
function hasDoc(sourceCode, node) {
  const before = sourceCode.getCommentsBefore(node).at(-1);
  return before?.type === 'Block' && before.value.startsWith('*');
}

/** Decorators stand before `export`, so a class's doc may be above its first decorator. */
function firstPart(node) {
  return (
    node.declaration.decorators?.find((decorator) => decorator.range[0] < node.range[0]) ?? node
  );
}

/**
 * Every export of a contract or a library carries a doc comment. One is enough for a name that is
 * exported twice (a schema and its type, an interface and its token, overloads), and for a block of
 * exports without a blank line between them.
 */
const exportDoc = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      missing:
        "'{{name}}' is exported without a doc comment: say its meaning, units, default and errors.",
    },
  },
  create(context) {
    const documented = new Set();
    const bare = new Map();
    let previous;
    return {
      ExportNamedDeclaration(node) {
        if (!node.declaration) return;
        const names = exportedNames(node.declaration);
        const isDocumented =
          hasDoc(context.sourceCode, firstPart(node)) ||
          (previous?.isDocumented && previous.lastLine + 1 === node.loc.start.line);
        previous = { isDocumented, lastLine: node.loc.end.line };
        for (const name of names) {
          if (isDocumented) documented.add(name);
          else if (!bare.has(name)) bare.set(name, node);
        }
      },
      'Program:exit'() {
        for (const [name, node] of bare) {
          if (!documented.has(name)) context.report({ node, messageId: 'missing', data: { name } });
        }
      },
    };
  },
};

/** The public file of a package opens with a comment that says what the package is for. */
const packageHeader = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { missing: 'Open this index.ts with a block comment: what is this package for?' },
  },
  create(context) {
    return {
      Program(node) {
        const first = context.sourceCode.getAllComments()[0];
        const firstCode = node.body[0]?.range[0] ?? Infinity;
        if (first?.type !== 'Block' || first.range[0] > firstCode) {
          context.report({ node, messageId: 'missing' });
        }
      },
    };
  },
};

/** Files are kebab-case, so that a path can be guessed from a name. */
const fileName = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { wrong: "'{{name}}' is not kebab-case: name the file after its one main export." },
  },
  create(context) {
    return {
      Program(node) {
        const name = context.physicalFilename.split('/').at(-1);
        if (!FILE_NAME.test(name)) context.report({ node, messageId: 'wrong', data: { name } });
      },
    };
  },
};

export const houseRules = {
  rules: { 'export-doc': exportDoc, 'package-header': packageHeader, 'file-name': fileName },
};
