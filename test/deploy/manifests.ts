import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { parse } from 'yaml';

const folder = new URL('../../deploy/kubernetes/base/', import.meta.url);

/** A resource of Kubernetes, as its file says it. */
export interface Manifest {
  file: string;
  content: { apiVersion: string; kind: string };
}

/** Every file of the base but Kustomize's own. */
export function readManifests(): Manifest[] {
  return readdirSync(folder)
    .filter((file) => file !== 'kustomization.yaml')
    .sort()
    .map((file) => ({ file, content: readYaml(file) as Manifest['content'] }));
}

/** One file of the base. */
export function readYaml(file: string): unknown {
  return parse(readText(file));
}

/** One file of the base with its comments. */
export function readText(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}

/**
 * What is wrong with manifests by the schemas of Kubernetes (1.30, the package kubernetes-types, made from its OpenAPI
 * file), offline: fields that do not exist, fields that are missing, values of another type, each with its file. The schemas are types of
 * TypeScript, so its compiler is the judge.
 */
export function problemsOf(manifests: readonly Manifest[]): string[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const sources = new Map(manifests.map(({ file, content }) => [`${root}${file}.ts`, asTypeScript(content)]));
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true, // the compiler and the package are not what is judged
    lib: ['lib.es2022.d.ts'], // and nothing of a browser
    types: [],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...sources.keys()], options, {
    ...host,
    readFile: (name) => sources.get(name) ?? host.readFile(name),
    fileExists: (name) => sources.has(name) || host.fileExists(name),
    getSourceFile: (name, target) => {
      const text = sources.get(name);
      return text === undefined ? host.getSourceFile(name, target) : ts.createSourceFile(name, text, target);
    },
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const name = file?.fileName.slice(root.length).replace(/\.ts$/, '') ?? '';
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

/** `batch/v1` is a file of the package, what has no group (`v1`) is in `core`. */
function asTypeScript(content: Manifest['content']): string {
  const { apiVersion, kind } = content;
  const module = apiVersion.includes('/') ? apiVersion.replace('.k8s.io', '') : `core/${apiVersion}`;
  return `import type { ${kind} } from 'kubernetes-types/${module}';\nexport const manifest: ${kind} = ${JSON.stringify(content)};\n`;
}
