import { TerminalError } from '../base/index.js';

/** What a template can ask for (swarm-semantics 1.11). */
export interface TemplateContext {
  readonly service: {
    readonly id: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly node: {
    readonly id: string;
    readonly hostname: string;
    readonly os: string;
    readonly architecture: string;
  };
  readonly task: { readonly id: string; readonly name: string; readonly slot: string };
}

/** Replaces every `{{…}}` of a text. */
export type Expand = (text: string) => string;

const VALUES: Readonly<Record<string, (context: TemplateContext) => string>> = {
  '.Service.ID': ({ service }) => service.id,
  '.Service.Name': ({ service }) => service.name,
  '.Service.Labels': ({ service }) => JSON.stringify(service.labels),
  '.Node.ID': ({ node }) => node.id,
  '.Node.Hostname': ({ node }) => node.hostname,
  '.Node.Platform.OS': ({ node }) => node.os,
  '.Node.Platform.Architecture': ({ node }) => node.architecture,
  '.Task.ID': ({ task }) => task.id,
  '.Task.Name': ({ task }) => task.name,
  '.Task.Slot': ({ task }) => task.slot,
};

const LABEL = /^index \.Service\.Labels "([^"]*)"$/;

/**
 * Expands Docker's placeholders: `{{.Task.Slot}}`, `{{index .Service.Labels "tier"}}`. A label that is not
 * there is empty, as in Docker. Errors of the result: TerminalError for a placeholder that does not exist.
 */
export function templateExpander(context: TemplateContext): Expand {
  return (text) =>
    text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (placeholder, expression: string) => {
      const label = LABEL.exec(expression)?.[1];
      if (label !== undefined) return context.service.labels[label] ?? '';
      const value = VALUES[expression];
      if (value) return value(context);
      throw new TerminalError(
        'InvalidTemplate',
        `unknown placeholder ${placeholder}; allowed: ${Object.keys(VALUES).join(', ')} and index .Service.Labels "name"`,
      );
    });
}

/** Expands the values of a map; its keys stay. */
export function expandValues(
  values: Readonly<Record<string, string>>,
  expand: Expand,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, expand(value)]));
}
