/** Takes one problem of an object: where, and what is wrong. */
export type Report = (path: string, message: string) => void;

/** What a part of the API that is described but not run yet is refused with. */
export const NOT_SUPPORTED_YET = 'not supported yet';
