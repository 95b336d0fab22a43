import type { ObjectList } from '../../../api/v1/index.js';
import { BadRequestError, CompactedError } from '../../base/index.js';
import { presentReader, readerBefore, type Reader } from './reader.js';
import { viewOf, type Resource } from './resource.js';
import type { Selector } from './selectors.js';

/** What to list. */
export interface ListRequest {
  readonly resource: Resource;
  readonly selector: Selector | undefined;
  readonly limit: number;
  readonly showApplied: boolean;
  /** `metadata.continue` of the page before. */
  readonly after: string | undefined;
}

interface Position {
  readonly revision: number;
  readonly key: string;
}

/**
 * One page, in order of keys. Every page of a list shows the revision of its first one, although the
 * world has gone on; when that is not remembered any more the client lists again.
 * Errors: BadRequestError for a token that is not ours, CompactedError.
 */
export function listPage(request: ListRequest): ObjectList {
  const { resource, after } = request;
  const from = after === undefined ? undefined : parseToken(after);
  const reader = from === undefined ? presentReader : readerAt(resource, from.revision);
  const revision = from?.revision ?? resource.cache.revision;
  const { page, remaining } = pageAfter(request, reader, from?.key);
  const last = page.at(-1);
  return {
    apiVersion: 'swarm/v1',
    kind: `${resource.kind.kind}List`,
    metadata: {
      revision,
      ...(last && remaining > 0 && { continue: tokenOf({ revision, key: last.key }), remaining }),
    },
    items: page.map(({ stored }) => viewOf(resource, stored, reader, request.showApplied)),
  };
}

function readerAt({ cache }: Resource, revision: number): Reader {
  if (revision > cache.revision) {
    throw new CompactedError('this manager does not know that revision yet; list again');
  }
  return readerBefore(cache.changesSince(revision));
}

interface Item {
  readonly key: string;
  readonly stored: unknown;
}

/** Takes the smallest keys without sorting all of them: a page must not cost a sort of the cluster. */
function pageAfter(
  { resource, selector, limit }: ListRequest,
  reader: Reader,
  after: string | undefined,
): { readonly page: readonly Item[]; readonly remaining: number } {
  const best = new SmallestKeys(limit);
  let matches = 0;
  for (const stored of reader.list(resource.primary)) {
    const key = resource.keyOf(stored);
    if (after !== undefined && key <= after) continue;
    if (selector && !selector(stored, reader)) continue;
    matches += 1;
    best.offer({ key, stored });
  }
  const page = best.sorted();
  return { page, remaining: matches - page.length };
}

/** The `limit` items with the smallest keys among those offered. */
class SmallestKeys {
  private items: Item[] = [];
  private bound: string | undefined;

  constructor(private readonly limit: number) {}

  offer(item: Item): void {
    if (this.bound !== undefined && item.key >= this.bound) return;
    this.items.push(item);
    if (this.items.length >= 2 * this.limit) this.shrink();
  }

  sorted(): readonly Item[] {
    this.shrink();
    return this.items;
  }

  private shrink(): void {
    this.items.sort((a, b) => (a.key < b.key ? -1 : 1));
    this.items = this.items.slice(0, this.limit);
    if (this.items.length === this.limit) this.bound = this.items.at(-1)?.key;
  }
}

function tokenOf({ revision, key }: Position): string {
  return Buffer.from(JSON.stringify([revision, key])).toString('base64url');
}

function parseToken(token: string): Position {
  try {
    const [revision, key] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (typeof revision === 'number' && typeof key === 'string') return { revision, key };
  } catch {
    // told below
  }
  throw new BadRequestError('continue: not a token of ours');
}
