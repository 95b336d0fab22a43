/**
 * What would happen if: the controllers of the manager on a copy of the world, with nodes that do at once what
 * is asked of them. For plans that people look at before they apply something.
 */
export { forecast } from './forecast.js';
export type { ControllersFor, Forecast, ForecastOptions, ForecastParts } from './forecast.js';
export type { ForecastController } from './imagined-controller.js';
