"""Compiled loops that mine frequent itemsets from baskets kept as sets of bits.

Baskets come as two views of the same entries, items being numbered from the rarest on: by basket
(`row_starts, row_items`, ascending) and by item (`starts`, then for each entry its basket `columns`
and its place `places` in `row_items`), and with the number of equal baskets that each stands for.

Itemsets go out as a tree: four numbers for each, its parent (the itemset without the item added
last, by its number; -1 for single items), the item added, its count and its size.
"""

import numpy as np
from numba import types
from numba.extending import intrinsic

from cohortlab.compiled import compiled

# What is only called by compiled code needs no entry from Python, which takes long to compile.
_inner = compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)
# A call counts the arrays that it is given in and out. That is much where little is done: these
# become a part of what calls them.
_inlined = compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, inline="always")

#: What is asked for.
ALL, CLOSED, MAXIMAL = 0, 1, 2
#: What becomes of an itemset: nothing that begins with it is asked for; others may be; it is.
_PRUNED, _PASSED, _KEPT = 0, 1, 2


@intrinsic
def ones(typing_context, word):
    """Count the bits of a word that are one, in one instruction of the processor."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@_inner
def _grown(values, needed):
    # Doubling keeps the copies of all growths together below the final size.
    if needed <= len(values):
        return values
    larger = np.empty(max(needed, 2 * len(values)), values.dtype)
    for i in range(len(values)):
        larger[i] = values[i]
    return larger


@_inlined
def _intersect(bits, left, right, target, shifts, n_words):
    # Of unsigned places the compiler knows that none is negative, and takes many words at a time.
    width, count = np.uint64(n_words), np.uint64(0)
    these, those, common = np.uint64(left), np.uint64(right), np.uint64(target)
    these, those, common = these * width, those * width, common * width
    for word in range(width):
        both = bits[these + word] & bits[those + word]
        bits[common + word] = both
        count += ones(both) << shifts[word]
    return np.int64(count)


@_inner
def _is_within(bits, row, other, n_words):
    for word in range(n_words):
        if bits[row * n_words + word] & ~bits[other * n_words + word]:
            return False
    return True


@_inlined
def _is_apart(apart, left, right):
    return len(apart) > 0 and (apart[left, right >> 3] >> (right & 7)) & 1 == 1


@_inner
def _sort_by(values, weight):
    # Shell's sort: short, quick to compile, and the lists are short.
    gap = len(values) // 2
    while gap > 0:
        for i in range(gap, len(values)):
            value, j = values[i], i
            while j >= gap and (
                weight[values[j - gap]] > weight[value]
                or (weight[values[j - gap]] == weight[value] and values[j - gap] > value)
            ):
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 2


@_inner
def _partners(first, view, aim, apart, needed, together, seen, partners):
    """Find the items that are often enough with one: rarer ones, then the others, rarest first.

    The rarer ones are needed to tell what is closed only. `together` gets the counts.
    """
    row_starts, row_items, starts, columns, places, weights = view
    n_seen, n_rows = 0, 0
    for entry in range(starts[first], starts[first + 1]):
        row = columns[entry]
        begin = places[entry] + 1 if aim == ALL else row_starts[row]
        for place in range(begin, row_starts[row + 1]):
            item = row_items[place]
            if together[item] == 0:
                seen[n_seen] = item
                n_seen += 1
            together[item] += weights[row]
    for i in range(n_seen):
        item = seen[i]
        if item == first or together[item] < needed or _is_apart(apart, first, item):
            together[item] = 0
    for i in range(n_seen):
        if seen[i] < first and together[seen[i]] > 0:
            partners[n_rows] = seen[i]
            n_rows += 1
    n_back = n_rows
    for i in range(n_seen):
        if seen[i] > first and together[seen[i]] > 0:
            partners[n_rows] = seen[i]
            n_rows += 1
    _sort_by(partners[n_back:n_rows], together)
    return n_back, n_rows


@_inner
def _chosen(first, view, aim, slots, chosen, n_bits):
    """Choose the baskets of an item that tell its larger itemsets apart; count bits by weight.

    For counts these are the baskets with two of the slots or more; for what is closed, with one.
    """
    row_starts, row_items, starts, columns, places, weights = view
    n_chosen = 0
    for entry in range(starts[first], starts[first + 1]):
        row, n_held = columns[entry], 0
        begin = places[entry] + 1 if aim == ALL else row_starts[row]
        for place in range(begin, row_starts[row + 1]):
            n_held += slots[row_items[place]] >= 0
        if n_held > (aim == ALL):
            chosen[n_chosen], chosen[n_chosen + 1] = begin, row
            n_chosen += 2
            weight, plane = weights[row], 0
            while weight > 0:
                n_bits[plane] += weight & 1
                weight, plane = weight >> 1, plane + 1
    return n_chosen


@_inner
def _fill_bits(bits, first, view, aim, slots, n_slots):
    """Write one row of bits for each slot: which of the baskets with an item hold it too.

    A basket that stands for 13 equal ones has bits in the words of 8, of 4 and of 1.
    """
    row_starts, row_items, starts, _, _, weights = view
    chosen = np.empty(2 * (starts[first + 1] - starts[first]), np.int64)
    n_bits, following = np.zeros(32, np.int64), np.zeros(32, np.int64)
    n_chosen, n_words = _chosen(first, view, aim, slots, chosen, n_bits), 0
    for plane in range(32):
        following[plane] = 64 * n_words
        n_words += (n_bits[plane] + 63) >> 6
    shifts = np.zeros(n_words, np.uint64)
    for plane in range(1, 32):
        shifts[following[plane] >> 6 :] = plane
    bits = _grown(bits, n_slots * n_words)
    bits[: n_slots * n_words] = 0
    for i in range(0, n_chosen, 2):
        begin, row = chosen[i], chosen[i + 1]
        weight, plane = weights[row], 0
        while weight > 0:
            if weight & 1:
                at, bit = following[plane] >> 6, np.uint64(1) << np.uint64(following[plane] & 63)
                following[plane] += 1
                for place in range(begin, row_starts[row + 1]):
                    slot = slots[row_items[place]]
                    if slot >= 0:
                        bits[slot * n_words + at] |= bit
            weight, plane = weight >> 1, plane + 1
    return bits, shifts, n_words


@_inner
def _judge_single(count, n_back, n_rows, aim, apart, partners, together):
    if aim == ALL:
        return _KEPT
    verdict = _PASSED if aim == MAXIMAL and n_rows > 0 else _KEPT
    for i in range(n_rows):
        if together[partners[i]] == count:
            if i < n_back and len(apart) == 0:
                return _PRUNED
            verdict = _PASSED
    return verdict


@_inner
def _judge(row, slot, rows, aim, apart, needed, partners, excluded):
    """Tell whether an itemset is asked for, by the items that could be added to it.

    Where an item that comes earlier is in all of its baskets, the same holds for all that begins
    with the itemset; but not if that item may not be with what is added.
    """
    bits, shifts, n_words, n_rows = rows
    verdict = _KEPT
    for other in range(n_rows):
        if excluded[other] or other == slot or _is_apart(apart, partners[slot], partners[other]):
            continue
        if _is_within(bits, row, other, n_words):
            if other < slot and len(apart) == 0:
                return _PRUNED
            verdict = _PASSED
        elif verdict == _KEPT and aim == MAXIMAL:
            count = np.uint64(0)
            for word in range(n_words):
                both = bits[row * n_words + word] & bits[other * n_words + word]
                count += ones(both) << shifts[word]
            if np.int64(count) >= needed:
                verdict = _PASSED
    return verdict


@_inner
def _exclude(node, tree, n_rows, apart, partners, slots, excluded):
    """Mark the rows of the items of an itemset, and of those that may not be with them."""
    excluded[:n_rows] = False
    while node >= 0:
        item = tree[4 * node + 1]
        if slots[item] >= 0:
            excluded[slots[item]] = True
        for other in range(n_rows):
            if _is_apart(apart, item, partners[other]):
                excluded[other] = True
        node = tree[4 * node]


@_inlined
def _extend(left, end, nodes, slot_of, rows, given, partners):
    """Join a candidate with those after it; the frequent ones become candidates from `end` on.

    Until they are numbered, `nodes` holds their counts.
    """
    bits, shifts, n_words, _ = rows
    _, apart, needed = given
    target = end
    for right in range(left + 1, end):
        slot = slot_of[right]
        if not _is_apart(apart, partners[slot_of[left]], partners[slot]):
            count = _intersect(bits, left, right, target, shifts, n_words)
            if count >= needed:
                slot_of[target], nodes[target] = slot, count
                target += 1
    return target


@_inlined
def _number(begin, end, parent, size, tree, n_nodes, nodes, slot_of, rows, given, scratch):
    """Write new candidates into the tree, -1 in place of their numbers where they are pruned.

    The count of an itemset that is only on the way to others is negative in the tree.
    """
    aim, apart, needed = given
    partners, slots, excluded = scratch
    if aim != ALL:
        _exclude(parent, tree, rows[3], apart, partners, slots, excluded)
    for row in range(begin, end):
        slot, count, verdict = slot_of[row], nodes[row], _KEPT
        if aim != ALL:
            verdict = _judge(row, slot, rows, aim, apart, needed, partners, excluded)
        nodes[row] = -1 if verdict == _PRUNED else n_nodes
        if verdict != _PRUNED:
            tree[4 * n_nodes], tree[4 * n_nodes + 1] = parent, partners[slot]
            tree[4 * n_nodes + 2] = count if verdict == _KEPT else -count
            tree[4 * n_nodes + 3] = size
            n_nodes += 1
    return n_nodes


@_inner
def _descend(depth, level, tree, n_nodes, nodes, slot_of, rows, given, scratch, max_len, cap):
    """Find what begins with the pairs of an item, depth first, until it is done or lacks room.

    Returns the number of nodes and the depth to go on from, -1 where all is done. Growing the
    arrays is left to the caller: what a loop assigns to anew is counted in and out each time.
    """
    level_next, level_end = level
    while depth >= 0 and n_nodes <= cap:
        left, end, size = level_next[depth], level_end[depth], depth + 2
        if left >= end - 1 or size >= max_len:
            depth -= 1
            continue
        reach = 2 * end - left - 1
        if reach > len(nodes) or reach * rows[2] > len(rows[0]):
            return n_nodes, depth
        if 4 * (n_nodes + reach - end) > len(tree):
            return n_nodes, depth
        level_next[depth] += 1
        if nodes[left] < 0:
            continue
        target = _extend(left, end, nodes, slot_of, rows, given, scratch[0])
        if target > end:
            n_nodes = _number(
                end,
                target,
                nodes[left],
                size + 1,
                tree,
                n_nodes,
                nodes,
                slot_of,
                rows,
                given,
                scratch,
            )
        if target > end + 1:
            depth += 1
            level_next[depth], level_end[depth] = end, target
    return n_nodes, -1


@compiled()
def mine_tree(view, counts, apart, aim, needed, max_len, cap):
    """Find the frequent itemsets.

    Parameters
    ----------
    view : tuple of ndarray of int32
        `row_starts, row_items, starts, columns, places` and the weights of the baskets; see the
        head of this module.
    counts : ndarray of int64, shape (n_items,)
        How many baskets hold each item, ascending.
    apart : ndarray of uint8, shape (n_items, n_items / 8) or (0, 0)
        Bits of the pairs of items that no itemset may hold.
    aim : int
        `ALL`, `CLOSED` or `MAXIMAL`.
    needed, max_len, cap : int
        Smallest count, largest size, and number of itemsets after which mining stops.

    Returns
    -------
    ndarray of int64, shape (4 * n_nodes,)
        The tree: four numbers for each itemset.

    Notes
    -----
    For each item in turn, the baskets that hold it become bits, one row for every more frequent
    item; the rows are intersected depth first. As no item in a row is rarer than the one they
    belong to, the bits of one item never outnumber the entries of all baskets. For closed and
    maximal itemsets the rarer items have rows too; they are only compared with.
    """
    n_items, n_nodes, n_words = len(counts), 0, 0
    tree, bits, shifts = np.empty(4096, np.int64), np.empty(1024, np.uint64), np.empty(0, np.uint64)
    together, seen = np.zeros(n_items, np.int64), np.empty(n_items, np.int64)
    partners, slots = np.empty(n_items, np.int64), np.full(n_items, -1, np.int64)
    # A candidate: the number of its itemset, -1 where it is pruned, and the row of its last item.
    nodes, slot_of = np.empty(1024, np.int64), np.empty(1024, np.int64)
    level = np.empty(n_items + 1, np.int64), np.empty(n_items + 1, np.int64)
    given, scratch = (aim, apart, needed), (partners, slots, np.zeros(n_items, np.bool_))
    for first in range(n_items):
        n_back, n_rows = 0, 0
        if max_len > 1 or aim != ALL:
            n_back, n_rows = _partners(first, view, aim, apart, needed, together, seen, partners)
        tree = _grown(tree, 4 * (n_nodes + n_rows + 1))
        nodes, slot_of = _grown(nodes, n_rows), _grown(slot_of, n_rows)
        for slot in range(n_rows):
            slots[partners[slot]] = slot
        verdict = _judge_single(counts[first], n_back, n_rows, aim, apart, partners, together)
        if verdict != _PRUNED:
            tree[4 * n_nodes], tree[4 * n_nodes + 1] = -1, first
            tree[4 * n_nodes + 2] = counts[first] if verdict == _KEPT else -counts[first]
            tree[4 * n_nodes + 3] = 1
            n_nodes += 1
        if verdict != _PRUNED and n_rows > n_back and max_len > 1:
            has_larger = n_rows - n_back > 1 and max_len > 2
            if aim != ALL or has_larger:
                bits, shifts, n_words = _fill_bits(bits, first, view, aim, slots, n_rows)
            rows = bits, shifts, n_words, n_rows
            for slot in range(n_back, n_rows):
                slot_of[slot], nodes[slot] = slot, together[partners[slot]]
            n_nodes = _number(
                n_back, n_rows, n_nodes - 1, 2, tree, n_nodes, nodes, slot_of, rows, given, scratch
            )
            if has_larger:
                depth, level[0][0], level[1][0] = 0, n_back, n_rows
                while depth >= 0:
                    reach = 2 * level[1][depth] - level[0][depth]
                    nodes, slot_of = _grown(nodes, reach), _grown(slot_of, reach)
                    bits, tree = _grown(bits, reach * n_words), _grown(tree, 4 * (n_nodes + reach))
                    rows = bits, shifts, n_words, n_rows
                    n_nodes, depth = _descend(
                        depth,
                        level,
                        tree,
                        n_nodes,
                        nodes,
                        slot_of,
                        rows,
                        given,
                        scratch,
                        max_len,
                        cap,
                    )
        for slot in range(n_rows):
            slots[partners[slot]], together[partners[slot]] = -1, 0
        if n_nodes > cap:
            break
    return tree[: 4 * n_nodes]
