/** Unknown facts have no value. */
export type Fact = [name: string, value: string | null | undefined | 0 | false]

/** A list of names and values, without unknown ones. */
export const Facts = ({ facts, class: name }: { facts: Fact[]; class?: string }) => (
  <dl class={name}>
    {facts.map(([fact, value]) =>
      value ? (
        <div key={fact}>
          <dt>{fact}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ) : null,
    )}
  </dl>
)
