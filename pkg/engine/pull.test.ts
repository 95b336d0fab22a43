import { describe, expect, it } from 'vitest';
import { isRecoverable } from '../base/index.js';
import { splitReference } from './images.js';
import { PullProgressTracker } from './pull-progress.js';
import { imagePullError } from './pull-errors.js';

describe('imagePullError', () => {
  // words of Docker 20.10 to 28 and of common registries
  it.each([
    ['manifest for web:9 not found: manifest unknown: manifest unknown', 'ImageNotFound'],
    ['repository r/web not found: name unknown: repository name not known', 'ImageNotFound'],
    [
      "pull access denied for web, repository does not exist or may require 'docker login': denied",
      'ImageNotFound',
    ],
    ['invalid reference format', 'InvalidImageReference'],
    [
      'no matching manifest for linux/arm64/v8 in the manifest list entries',
      'ImagePlatformMismatch',
    ],
    ['unauthorized: authentication required', 'RegistryUnauthorized'],
    ['Head "https://r/v2/web": no basic auth credentials', 'RegistryUnauthorized'],
    ['toomanyrequests: You have reached your pull rate limit', 'RegistryRateLimited'],
    [
      'Get "https://r/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
      'RegistryUnreachable',
    ],
    ['Get "https://r/v2/": x509: certificate signed by unknown authority', 'RegistryUnreachable'],
    ['received unexpected HTTP status: 503 Service Unavailable', 'RegistryUnreachable'],
    ['write /var/lib/docker/tmp/x: no space left on device', 'EngineDiskFull'],
    ['something nobody has seen before', 'ImagePullFailed'],
  ])('reads "%s" as %s', (words, reason) => {
    expect(imagePullError('web:9', words, {})).toMatchObject({
      reason,
      code: 'ERR_IMAGE_PULL',
      message: `cannot pull web:9: ${words}`,
    });
  });

  it('knows a denied pull with credentials as a matter of credentials', () => {
    const words =
      "pull access denied for web, repository does not exist or may require 'docker login'";
    const auth = { username: 'me', password: 'x' };
    expect(imagePullError('web', words, { auth }).reason).toBe('RegistryUnauthorized');
  });

  it('is worth another try only when that may help', () => {
    expect(isRecoverable(imagePullError('web', 'dial tcp: i/o timeout', {}))).toBe(true);
    expect(isRecoverable(imagePullError('web', 'manifest unknown', {}))).toBe(false);
  });
});

describe('splitReference', () => {
  it.each([
    ['web', 'web', 'latest'],
    ['web:1', 'web', '1'],
    ['r:5000/web', 'r:5000/web', 'latest'],
    ['r:5000/a/web:1', 'r:5000/a/web', '1'],
    ['web@sha256:abc', 'web', 'sha256:abc'],
    ['r:5000/web:1@sha256:abc', 'r:5000/web:1', 'sha256:abc'],
  ])('takes %s apart', (reference, fromImage, tag) => {
    expect(splitReference(reference)).toEqual({ fromImage, tag });
  });
});

describe('PullProgressTracker', () => {
  it('adds up the layers', () => {
    const tracker = new PullProgressTracker();
    tracker.update({ status: 'Pulling from library/web', id: '1' });
    tracker.update({ status: 'Already exists', id: 'a' });
    tracker.update({ status: 'Pulling fs layer', id: 'b' });
    tracker.update({ status: 'Pulling fs layer', id: 'c' });
    tracker.update({ status: 'Downloading', id: 'b', progressDetail: { current: 1, total: 10 } });
    expect(
      tracker.update({ status: 'Downloading', id: 'c', progressDetail: { current: 2, total: 20 } }),
    ).toEqual({
      status: 'Downloading',
      layersDone: 1,
      layersTotal: 3,
      downloadedBytes: 3,
      totalBytes: 30,
    });
    // unpacking counts other bytes: they are not mixed in
    tracker.update({ status: 'Extracting', id: 'b', progressDetail: { current: 400, total: 900 } });
    tracker.update({ status: 'Pull complete', id: 'b' });
    expect(tracker.update({ status: 'Digest: sha256:1' })).toMatchObject({
      layersDone: 2,
      downloadedBytes: 12,
      totalBytes: 30,
    });
  });
});
