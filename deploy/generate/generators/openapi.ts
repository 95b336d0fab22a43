import { openApiDocument } from '../../../pkg/apiserver/index.js';

/** Where the result goes, from the top of the repository. */
export const target = 'api/openapi/openapi.json';

/** The OpenAPI document of the managers' API, from its routes and schemas. */
export const generate = openApiDocument;
