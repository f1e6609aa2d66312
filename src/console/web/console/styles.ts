/** Stylesheets that not every page needs, from the address of what needs them. */

const folder = '/web/console/web/console/'

/**
 * Loads one of the console's own, such as `parts/bars`, or one of a package's; once. Parts need not wait for it: what
 * they are drawn of is read after it is asked for.
 */
export function styled(name: string): Promise<void> {
  const href = name.startsWith('/') ? name : `${folder}${name}.css`
  if (document.querySelector(`link[href="${href}"]`) !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const link = document.createElement('link')
    link.rel = 'stylesheet'
    link.href = href
    link.onload = () => resolve()
    link.onerror = () => resolve()
    document.head.append(link)
  })
}
