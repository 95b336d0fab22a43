/** The world at one revision: one list and one watch over everything, as frozen objects with indexes. */
export * from './collection.js';
export * from './world-cache.js';
export * from './watched-world-cache.js';
