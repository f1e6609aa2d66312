/** A request as the `curl` line that does the same. */
import { headersOf, type Request } from '../wire.ts'

/** To be pasted into a shell: the same request, which the server knows again by its id or its key. */
export function curlOf(request: Request, origin: string): string {
  const headers = Object.entries(headersOf(request)).map(
    ([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`,
  )
  const data = request.body === undefined ? '' : ` -d ${quoted(JSON.stringify(request.body))}`
  return `curl -s ${origin}${request.path}${headers.join('')}${data}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
