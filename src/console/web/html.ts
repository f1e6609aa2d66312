/** Templates: preact's elements, written as HTML. */
import htm from 'htm'
import { h, type VNode } from 'preact'

export type View = VNode | VNode[]

// The types that the package gives itself are those of a module of another kind than it is.
const bind = htm as unknown as {
  bind(make: typeof h): (strings: TemplateStringsArray, ...values: unknown[]) => View
}

export const html = bind.bind(h)
