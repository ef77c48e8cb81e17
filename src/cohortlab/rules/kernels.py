"""Compiled loops that mine frequent itemsets from baskets kept as sets of bits.

Baskets come as two views of the same entries, items being numbered from the rarest on: by basket
(`row_starts, row_items`, ascending) and by item (`column_starts`, then for each entry its basket
`column_rows` and its place `column_places` in `row_items`).
"""

import numpy as np
from numba import types
from numba.extending import intrinsic

from cohortlab.compiled import compiled


@intrinsic
def _ones(typing_context, word):
    """Count the bits of a word that are one, in one instruction of the processor."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@compiled()
def _grown(values, needed):
    # Doubling keeps the copies of all growths together below the final size.
    if needed <= len(values):
        return values
    larger = np.empty(max(needed, 2 * len(values)), values.dtype)
    for i in range(len(values)):
        larger[i] = values[i]
    return larger


@compiled()
def _intersect(bits, left, right, target, shifts, n_words):
    # On slices the compiler sees that no place is negative, and takes many words at a time.
    these = bits[left * n_words : (left + 1) * n_words]
    those = bits[right * n_words : (right + 1) * n_words]
    common = bits[target * n_words : (target + 1) * n_words]
    count = np.uint64(0)
    for word in range(n_words):
        common[word] = these[word] & those[word]
        count += _ones(these[word] & those[word]) << shifts[word]
    return np.int64(count)


@compiled()
def _put(flat, parent, size, code, target):
    # Copies the sorted parent and puts the code in its place, so that every itemset is sorted.
    place = size
    while place > 0 and flat[parent + place - 1] > code:
        flat[target + place] = flat[parent + place - 1]
        place -= 1
    flat[target + place] = code
    for i in range(place):
        flat[target + i] = flat[parent + i]


@compiled()
def _is_apart(apart, left, right):
    return len(apart) > 0 and (apart[left, right >> 3] >> (right & 7)) & 1 == 1


@compiled()
def _sort_by(values, n_values, weight):
    # Shell's sort: short, quick to compile, and the lists are short.
    gap = n_values // 2
    while gap > 0:
        for i in range(gap, n_values):
            value, j = values[i], i
            while j >= gap and (
                weight[values[j - gap]] > weight[value]
                or (weight[values[j - gap]] == weight[value] and values[j - gap] > value)
            ):
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 2


@compiled()
def _partners(first, rows, columns, starts, places, weights, together, partners, needed):
    """Count what shares a basket with an item; keep its frequent partners, rarest first."""
    row_starts, row_items = rows
    n_seen = 0
    for entry in range(starts[first], starts[first + 1]):
        row = columns[entry]
        begin = places[entry] + 1
        for place in range(begin, row_starts[row + 1]):
            item = row_items[place]
            if together[item] == 0:
                partners[n_seen] = item
                n_seen += 1
            together[item] += weights[row]
    n_kept = 0
    for i in range(n_seen):
        item = partners[i]
        if together[item] >= needed:
            partners[n_kept] = item
            n_kept += 1
        else:
            together[item] = 0
    _sort_by(partners, n_kept, together)
    return n_kept


@compiled()
def _fill_bits(bits, shifts, first, rows, columns, starts, places, weights, slots, n_slots):
    """Write one row of bits for each slot: which of the baskets with an item hold it too.

    A basket that stands for 13 equal ones has bits in the words of 8, of 4 and of 1. Baskets with
    fewer than two of the slots make no difference any more and are left out.
    """
    row_starts, row_items = rows
    chosen, n_chosen = np.empty(starts[first + 1] - starts[first], np.int64), 0
    n_bits, following = np.zeros(32, np.int64), np.zeros(32, np.int64)
    for entry in range(starts[first], starts[first + 1]):
        row, n_held = columns[entry], 0
        for place in range(places[entry] + 1, row_starts[row + 1]):
            n_held += slots[row_items[place]] >= 0
        if n_held > 1:
            chosen[n_chosen] = entry
            n_chosen += 1
            for plane in range(32):
                n_bits[plane] += (weights[row] >> plane) & 1
    n_words = 0
    for plane in range(32):
        following[plane] = 64 * n_words
        for _ in range((n_bits[plane] + 63) // 64):
            shifts[n_words] = plane
            n_words += 1
    bits = _grown(bits, n_slots * n_words)
    for word in range(n_slots * n_words):
        bits[word] = 0
    for i in range(n_chosen):
        row = columns[chosen[i]]
        for plane in range(32):
            if (weights[row] >> plane) & 1 == 0:
                continue
            at, bit = following[plane] >> 6, np.uint64(1) << np.uint64(following[plane] & 63)
            following[plane] += 1
            for place in range(places[chosen[i]] + 1, row_starts[row + 1]):
                slot = slots[row_items[place]]
                if slot >= 0:
                    bits[slot * n_words + at] |= bit
    return bits, n_words


@compiled()
def _write_pairs(out, used, first, codes, counts, partners, n_own, together, apart, items, where):
    """Put an item and its pairs out, and make the pairs the first candidates."""
    out[used], out[used + 1], out[used + 2] = 1, counts[first], codes[first]
    single, used, n_kept = used + 2, used + 3, 0
    for i in range(n_own):
        item = partners[i]
        if not _is_apart(apart, first, item):
            out[used], out[used + 1] = 2, together[item]
            _put(out, single, 1, codes[item], used + 2)
            items[n_kept], where[n_kept] = item, used + 2
            used, n_kept = used + 4, n_kept + 1
        together[item] = 0
    return used, n_kept


@compiled()
def _extend(out, used, left, end, size, items, where, bits, shifts, n_words, codes, apart, needed):
    """Join a candidate with those after it; the frequent ones become candidates from `end` on."""
    target = end
    for right in range(left + 1, end):
        if _is_apart(apart, items[left], items[right]):
            continue
        count = _intersect(bits, left, right, target, shifts, n_words)
        if count < needed:
            continue
        out[used], out[used + 1] = size + 1, count
        _put(out, where[left], size, codes[items[right]], used + 2)
        items[target], where[target] = items[right], used + 2
        used, target = used + size + 3, target + 1
    return used, target


@compiled()
def mine_all(view, codes, counts, apart, needed, max_len, cap):
    """Find all frequent itemsets; return their sizes, counts and sorted codes in one array.

    For each item in turn, the baskets that hold it become bits, one row for every more frequent
    item; the rows are intersected depth first. As no item in a row is rarer than the one they
    belong to, the bits of one item never outnumber the entries of all baskets.
    """
    rows, columns, starts, places, weights = view
    n_items = len(counts)
    out, used, n_found = np.empty(4096, np.int32), 0, 0
    together, partners = np.zeros(n_items, np.int32), np.empty(n_items, np.int32)
    slots = np.full(n_items, -1, np.int32)
    bits, shifts = np.empty(1024, np.uint64), np.zeros(len(weights) // 64 + 64, np.uint64)
    # A candidate: its item, where its itemset stands in `out`, and the row of bits of its number.
    items, where = np.empty(1024, np.int64), np.empty(1024, np.int64)
    level_end, level_next = np.empty(n_items + 1, np.int64), np.empty(n_items + 1, np.int64)
    for first in range(n_items):
        n_own = 0
        if max_len > 1:
            n_own = _partners(
                first, rows, columns, starts, places, weights, together, partners, needed
            )
        out = _grown(out, used + 3 + 4 * n_own)
        items, where = _grown(items, n_own), _grown(where, n_own)
        used, end = _write_pairs(
            out, used, first, codes, counts, partners, n_own, together, apart, items, where
        )
        n_found += 1 + end
        depth, n_words = -1, 0
        if end > 1 and max_len > 2:
            for i in range(end):
                slots[items[i]] = i
            bits, n_words = _fill_bits(
                bits, shifts, first, rows, columns, starts, places, weights, slots, end
            )
            depth, level_end[0], level_next[0] = 0, end, 0
            for i in range(end):
                slots[items[i]] = -1
        while depth >= 0 and n_found <= cap:
            left, end = level_next[depth], level_end[depth]
            level_next[depth] += 1
            if left >= end - 1:
                depth -= 1
                continue
            reach, size = 2 * end - left - 1, depth + 2
            bits = _grown(bits, reach * n_words)
            items, where = _grown(items, reach), _grown(where, reach)
            out = _grown(out, used + (reach - end) * (size + 3))
            used, target = _extend(
                out,
                used,
                left,
                end,
                size,
                items,
                where,
                bits,
                shifts,
                n_words,
                codes,
                apart,
                needed,
            )
            n_found += target - end
            if target > end + 1 and size + 1 < max_len:
                depth += 1
                level_next[depth], level_end[depth] = end, target
        if n_found > cap:
            break
    return out[:used], n_found


@compiled()
def first_of_equals(rows, ranks, keys, n_rows):
    """Find the first of the baskets that hold the same items, for every basket.

    Baskets are the same where the sums of the random keys of their items are, and their items one
    by one; rank -1 leaves an entry out.
    """
    begins, sums = np.zeros(n_rows + 1, np.int64), np.zeros(n_rows, np.uint64)
    for entry in range(len(rows)):
        begins[rows[entry] + 1] += 1
        if ranks[entry] >= 0:
            sums[rows[entry]] += keys[ranks[entry]]
    for i in range(n_rows):
        begins[i + 1] += begins[i]
    size = 1
    while size < 2 * n_rows:
        size *= 2
    table, first = np.full(size, -1, np.int64), np.empty(n_rows, np.int64)
    for row in range(n_rows):
        slot = np.int64(sums[row] & np.uint64(size - 1))
        while table[slot] >= 0 and sums[table[slot]] != sums[row]:
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            table[slot] = row
        other = table[slot]
        first[row] = other if _same(ranks, begins, row, other) else row
    return first


@compiled()
def _same(ranks, begins, row, other):
    left, right = begins[row], begins[other]
    while True:
        while left < begins[row + 1] and ranks[left] < 0:
            left += 1
        while right < begins[other + 1] and ranks[right] < 0:
            right += 1
        ended = (left == begins[row + 1]) + (right == begins[other + 1])
        if ended > 0 or ranks[left] != ranks[right]:
            return ended == 2
        left, right = left + 1, right + 1


@compiled()
def views(rows, ranks, n_rows, n_items):
    """Sort entries by basket and by item, both ascending, by counting; rank -1 leaves one out."""
    row_starts = np.zeros(n_rows + 1, np.int64)
    column_starts = np.zeros(n_items + 1, np.int64)
    for entry in range(len(rows)):
        if ranks[entry] >= 0:
            row_starts[rows[entry] + 1] += 1
            column_starts[ranks[entry] + 1] += 1
    for i in range(n_rows):
        row_starts[i + 1] += row_starts[i]
    for i in range(n_items):
        column_starts[i + 1] += column_starts[i]
    columns, following = np.empty(column_starts[n_items], np.int64), column_starts.copy()
    for entry in range(len(rows)):
        rank = ranks[entry]
        if rank >= 0:
            columns[following[rank]] = rows[entry]
            following[rank] += 1
    row_items, places = np.empty(len(columns), np.int32), np.empty(len(columns), np.int64)
    following = row_starts.copy()
    for rank in range(n_items):
        for entry in range(column_starts[rank], column_starts[rank + 1]):
            place = following[columns[entry]]
            row_items[place], places[entry] = rank, place
            following[columns[entry]] += 1
    return (row_starts, row_items), columns, column_starts, places


@compiled()
def starts_of(out, n_found):
    """Return where each itemset begins in the array of `mine_all`."""
    starts, place = np.empty(n_found, np.int64), 0
    for i in range(n_found):
        starts[i] = place
        place += out[place] + 2
    return starts
