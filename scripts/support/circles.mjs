// Circles in a graph of imports.

/**
 * Returns the shortest circles of edges `{ from, to, … }`: one for each edge that is part of any,
 * without duplicates.
 */
export function circlesOf(edges) {
  const graph = new Map()
  for (const edge of edges) {
    if (edge.from === edge.to) continue
    const ways = graph.get(edge.from) ?? new Map()
    if (!ways.has(edge.to)) graph.set(edge.from, ways.set(edge.to, edge))
  }
  const circles = new Map()
  for (const ways of graph.values()) {
    for (const edge of ways.values()) {
      const back = shortest(graph, edge.to, edge.from)
      if (!back) continue
      const nodes = [edge, ...back].map(({ from }) => from).sort()
      if (!circles.has(nodes.join())) circles.set(nodes.join(), [edge, ...back])
    }
  }
  return [...circles.values()]
}

/** Returns the edges of a shortest path, found breadth first. */
function shortest(graph, from, to) {
  const ways = new Map([[from, []]])
  for (const [node, way] of ways) {
    if (node === to) return way
    for (const edge of graph.get(node)?.values() ?? []) {
      if (!ways.has(edge.to)) ways.set(edge.to, [...way, edge])
    }
  }
  return undefined
}
