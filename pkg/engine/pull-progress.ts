import type { PullProgress } from './image.js';
import type { WirePullMessage } from './wire.js';

interface Layer {
  downloaded: number;
  total: number;
  done: boolean;
}

const DONE = new Set(['Pull complete', 'Already exists']);
/** A layer that is being unpacked was downloaded whole; its numbers now count something else. */
const DOWNLOADED = new Set(['Download complete', 'Verifying Checksum', 'Extracting', ...DONE]);
const LAYER_STATUS = new Set(['Pulling fs layer', 'Waiting', 'Downloading', ...DOWNLOADED]);

/** Adds up what the engine tells about each layer of one pull. */
export class PullProgressTracker {
  private readonly layers = new Map<string, Layer>();
  private status = '';

  /** Takes one message in and returns the sum so far. */
  update({ id, status = '', progressDetail }: WirePullMessage): PullProgress {
    this.status = status;
    if (id !== undefined && LAYER_STATUS.has(status)) {
      this.updateLayer(id, status, progressDetail ?? {});
    }
    return this.sum();
  }

  private updateLayer(
    id: string,
    status: string,
    { current, total }: { readonly current?: number; readonly total?: number },
  ): void {
    const layer = this.layers.get(id) ?? { downloaded: 0, total: 0, done: false };
    this.layers.set(id, layer);
    if (status === 'Downloading') {
      layer.downloaded = current ?? layer.downloaded;
      layer.total = Math.max(total ?? 0, layer.total, layer.downloaded);
    }
    if (DOWNLOADED.has(status)) layer.downloaded = layer.total;
    layer.done ||= DONE.has(status);
  }

  private sum(): PullProgress {
    const layers = [...this.layers.values()];
    return {
      status: this.status,
      layersDone: layers.filter(({ done }) => done).length,
      layersTotal: layers.length,
      downloadedBytes: layers.reduce((bytes, { downloaded }) => bytes + downloaded, 0),
      totalBytes: layers.reduce((bytes, { total }) => bytes + total, 0),
    };
  }
}
