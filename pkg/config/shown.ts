/** `text` as a message may repeat it: without passwords of URLs, join tokens and unlock keys. */
export function shown(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//***@').replace(/\bSWM(TKN|KEY)-\S+/g, 'SWM$1-***');
}
