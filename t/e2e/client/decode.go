package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	profilev1 "github.com/grafana/pyroscope/api/gen/proto/go/google/v1"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
)

// stacks has what each stack adds to itself: the names of its functions, root
// first, with a NUL behind each.
type stacks map[string]int64

func (s stacks) total() (total int64) {
	for _, value := range s {
		total += value
	}

	return
}

// below has the total of a stack: of it and all that begin with it.
func (s stacks) below(stack string) (total int64) {
	for key, value := range s {
		if strings.HasPrefix(key, stack) {
			total += value
		}
	}

	return
}

// nodes counts the nodes of the tree that the stacks make.
func (s stacks) nodes() int {
	seen := map[string]bool{}

	for key := range s {
		for i := range key {
			if key[i] == 0 {
				seen[key[:i]] = true
			}
		}
	}

	return len(seen)
}

// heaviest has the stack of so many functions with the largest total.
func (s stacks) heaviest(depth int) (best string, total int64) {
	totals := stacks{}

	for key, value := range s {
		if pieces := strings.SplitAfter(key, "\x00"); len(pieces) > depth {
			totals[strings.Join(pieces[:depth], "")] += value
		}
	}

	for key, value := range totals {
		if value > total || value == total && key < best {
			best, total = key, value
		}
	}

	return
}

// sameStacks is nil if both are equal.
func sameStacks(got, expected stacks) error {
	for _, key := range slices.Sorted(maps.Keys(expected)) {
		if got[key] != expected[key] {
			return fmt.Errorf("%s: %d, expected %d", readable(key), got[key],
				expected[key])
		}
	}

	for _, key := range slices.Sorted(maps.Keys(got)) {
		if got[key] != expected[key] {
			return fmt.Errorf("%s: %d, not expected", readable(key), got[key])
		}
	}

	return nil
}

func readable(stack string) string {
	return strings.ReplaceAll(strings.TrimSuffix(stack, "\x00"), "\x00", ";")
}

// A bar of a flame graph; both sides of one of a comparison.
type bar struct {
	x, total, self [2]int64
	stack          string
	last           string   // its last child's name
	next           [2]int64 // where the next child begins
}

// bars reads levels whose nodes have so many sides, and finds a parent for
// each node: the one above it, seen from both sides at once.
func bars(names []string, levels []*querierv1.Level, sides int) ([]*bar, error) {
	var all, above []*bar

	width := sides*3 + 1

	if len(names) == 0 || names[0] != "total" {
		return nil, fmt.Errorf("the first of the names %q is not total", names)
	}

	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		return nil, errors.New("a name is there twice")
	}

	for depth, level := range levels {
		var row []*bar
		var end [2]int64

		values := level.GetValues()

		if len(values)%width != 0 || len(values) == 0 {
			return nil, fmt.Errorf("level %d has %d values", depth, len(values))
		}

		parent := 0

		for v := range slices.Chunk(values, width) {
			b := new(bar)

			for side := range sides {
				b.x[side] = end[side] + v[side*3]
				b.total[side] = v[side*3+1]
				b.self[side] = v[side*3+2]
				end[side] = b.x[side] + b.total[side]

				if b.self[side] < 0 || b.self[side] > b.total[side] {
					return nil, fmt.Errorf("level %d: self %d of %d", depth,
						b.self[side], b.total[side])
				}

				b.next[side] = b.x[side] + b.self[side]
			}

			index := v[width-1]

			if index < 0 || index >= int64(len(names)) {
				return nil, fmt.Errorf("level %d: no name %d", depth, index)
			}

			name := names[index]

			if depth > 0 {
				if b.total[0]+b.total[1] == 0 {
					return nil, fmt.Errorf("level %d: %s has nothing", depth, name)
				}

				for parent < len(above) && above[parent].right() <= b.left() {
					parent++
				}

				if parent == len(above) {
					return nil, fmt.Errorf("level %d: %s has no parent", depth, name)
				}

				p := above[parent]

				if b.x != p.next {
					return nil, fmt.Errorf("level %d: %s begins at %v, not %v",
						depth, name, b.x, p.next)
				}

				if !ordered(p.last, name, sides) {
					return nil, fmt.Errorf("level %d: %s after %s", depth,
						name, p.last)
				}

				p.next, p.last = end, name
				b.stack = p.stack + name + "\x00"
			}

			row = append(row, b)
		}

		if depth == 0 && len(row) != 1 {
			return nil, fmt.Errorf("level 0 has %d nodes", len(row))
		}

		all = append(all, row...)
		above = row
	}

	// self and the children fill a node, so its total is their sum

	for _, b := range all {
		for side := range sides {
			if children := b.next[side] - b.x[side] - b.self[side]; b.last != "" &&
				children+b.self[side] != b.total[side] ||
				b.last == "" && b.self[side] != b.total[side] {

				return nil, fmt.Errorf("%s: total %d, self %d, children %d",
					readable(b.stack), b.total[side], b.self[side], children)
			}
		}
	}

	return all, nil
}

// Siblings are in order of their names; where one side is cut, "other" is the
// last.
func ordered(before, name string, sides int) bool {
	if sides == 1 && (before == "other" || name == "other") {
		return before != "other"
	}

	return name > before
}

func (b *bar) left() int64  { return b.x[0] + b.x[1] }
func (b *bar) right() int64 { return b.left() + b.total[0] + b.total[1] }

func collect(all []*bar, side int) (s stacks, largest int64) {
	s = stacks{}

	for _, b := range all {
		largest = max(largest, b.self[side])

		if b.self[side] > 0 {
			s[b.stack] = b.self[side]
		}
	}

	return
}

// readFlameGraph checks a flame graph as a whole.  None at all is an empty one.
func readFlameGraph(g *querierv1.FlameGraph) (stacks, error) {
	if g == nil {
		return stacks{}, nil
	}

	all, err := bars(g.Names, g.Levels, 1)

	if err != nil {
		return nil, err
	}

	s, largest := collect(all, 0)

	return s, errors.Join(
		equal("the root's total", all[0].total[0], g.Total),
		equal("the sum of self", s.total(), g.Total),
		equal("max_self", g.MaxSelf, largest))
}

// readDiff checks a comparison as a whole.
func readDiff(g *querierv1.FlameGraphDiff) (left, right stacks, err error) {
	all, err := bars(g.GetNames(), g.GetLevels(), 2)

	if err != nil {
		return nil, nil, err
	}

	left, largestLeft := collect(all, 0)
	right, largestRight := collect(all, 1)

	return left, right, errors.Join(
		equal("the sum of left self", left.total(), g.LeftTicks),
		equal("the sum of right self", right.total(), g.RightTicks),
		equal("total", g.Total, g.LeftTicks+g.RightTicks),
		equal("max_self", g.MaxSelf, max(largestLeft, largestRight)))
}

// readTree reads TREE bytes to their end.
func readTree(in []byte) (stacks, error) {
	s := stacks{}

	if len(in) == 0 {
		return s, nil
	}

	number := func() (uint64, error) {
		n, size := binary.Uvarint(in)

		if size <= 0 {
			return 0, errors.New("the tree ends early")
		}

		in = in[size:]

		return n, nil
	}

	var node func(parent string, root bool) error

	node = func(parent string, root bool) error {
		length, err := number()

		if err != nil || length > uint64(len(in)) {
			return errors.New("the tree ends in a name")
		}

		stack := parent + string(in[:length]) + "\x00"
		in = in[length:]

		self, err1 := number()
		children, err2 := number()

		if err := errors.Join(err1, err2); err != nil {
			return err
		}

		if root {
			if length != 0 || self != 0 {
				return fmt.Errorf("the root: %d bytes of name, self %d",
					length, self)
			}

			stack = ""
		}

		if self > 0 {
			if _, twice := s[stack]; twice {
				return fmt.Errorf("%s is there twice", readable(stack))
			}

			s[stack] = int64(self)
		}

		for range children {
			if err := node(stack, false); err != nil {
				return err
			}
		}

		return nil
	}

	if err := node("", true); err != nil {
		return nil, err
	}

	return s, equal("bytes after the tree", len(in), 0)
}

// A pprof profile that was looked through.
type profile struct {
	stacks
	typeName string // "cpu/nanoseconds"
	lines    int    // those that have a number
	depth    int    // the most locations of a sample
}

// readProfile checks that every index and id of it leads to something.
func readProfile(p *profilev1.Profile) (*profile, error) {
	out := &profile{stacks: stacks{}}

	text := func(i int64) string {
		if i < 0 || i >= int64(len(p.StringTable)) {
			panic(fmt.Sprintf("no string %d", i))
		}

		return p.StringTable[i]
	}

	if p == nil || len(p.StringTable) == 0 {
		if len(p.GetSample()) > 0 {
			return nil, errors.New("samples without strings")
		}

		return out, nil
	}

	if text(0) != "" {
		return nil, fmt.Errorf("string 0 is %q", text(0))
	}

	if len(p.SampleType) != 1 {
		return nil, fmt.Errorf("%d sample types", len(p.SampleType))
	}

	out.typeName = text(p.SampleType[0].Type) + "/" + text(p.SampleType[0].Unit)

	functions := map[uint64]string{}
	mappings := map[uint64]bool{0: true}
	locations := map[uint64][]string{}

	for _, m := range p.Mapping {
		if m.Id == 0 || mappings[m.Id] {
			return nil, fmt.Errorf("mapping %d", m.Id)
		}

		mappings[m.Id] = true
		text(m.Filename)
		text(m.BuildId)
	}

	for _, f := range p.Function {
		if _, twice := functions[f.Id]; f.Id == 0 || twice {
			return nil, fmt.Errorf("function %d", f.Id)
		}

		functions[f.Id] = text(f.Name)
		text(f.SystemName)
		text(f.Filename)
	}

	for _, l := range p.Location {
		if _, twice := locations[l.Id]; l.Id == 0 || twice {
			return nil, fmt.Errorf("location %d", l.Id)
		}

		if !mappings[l.MappingId] {
			return nil, fmt.Errorf("location %d: no mapping %d", l.Id, l.MappingId)
		}

		names := []string{}

		for _, line := range l.Line {
			name, there := functions[line.FunctionId]

			if !there {
				return nil, fmt.Errorf("location %d: no function %d", l.Id,
					line.FunctionId)
			}

			if line.Line > 0 {
				out.lines++
			}

			names = append(names, name)
		}

		if len(names) == 0 {
			return nil, fmt.Errorf("location %d has no line", l.Id)
		}

		locations[l.Id] = names
	}

	for i, sample := range p.Sample {
		var stack strings.Builder

		if len(sample.Value) != 1 {
			return nil, fmt.Errorf("sample %d has %d values", i, len(sample.Value))
		}

		if len(sample.LocationId) == 0 {
			return nil, fmt.Errorf("sample %d has no location", i)
		}

		out.depth = max(out.depth, len(sample.LocationId))

		for _, id := range slices.Backward(sample.LocationId) {
			names, there := locations[id]

			if !there {
				return nil, fmt.Errorf("sample %d: no location %d", i, id)
			}

			for _, name := range slices.Backward(names) {
				stack.WriteString(name + "\x00")
			}
		}

		out.stacks[stack.String()] += sample.Value[0]
	}

	return out, nil
}
