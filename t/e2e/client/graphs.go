package main

import (
	"errors"
	"fmt"
	"strings"

	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

type merge = querierv1.SelectMergeStacktracesRequest

const (
	asTree  = querierv1.ProfileFormat_PROFILE_FORMAT_TREE
	asDot   = querierv1.ProfileFormat_PROFILE_FORMAT_DOT
	asPprof = querierv1.ProfileFormat_PROFILE_FORMAT_PPROF

	stranger = "00000000-0000-4000-8000-000000000000" // a profile not there
)

// question is one for everything of Expect.Type that a selector has.
func (c *client) question(selector string) *merge {
	return &merge{ProfileTypeID: c.Type, LabelSelector: selector,
		Start: c.start(), End: c.end()}
}

func (c *client) flame(q *merge) (stacks, error) {
	a, err := call(c.querier.SelectMergeStacktraces, q)

	if err != nil {
		return nil, err
	}

	return readFlameGraph(a.Flamegraph)
}

func (c *client) tree(q *merge) (stacks, error) {
	q.Format = asTree
	a, err := call(c.querier.SelectMergeStacktraces, q)

	if err != nil {
		return nil, err
	}

	return readTree(a.Tree)
}

func (c *client) pprof(q *merge) (*profile, error) {
	q.Format = asPprof
	a, err := call(c.querier.SelectMergeStacktraces, q)

	if err != nil {
		return nil, err
	}

	return readProfile(a.GetPprof().GetProfile())
}

func callSite(stack string) *typesv1.StackTraceSelector {
	s := new(typesv1.StackTraceSelector)

	for name := range strings.SplitSeq(strings.TrimSuffix(stack, "\x00"), "\x00") {
		s.CallSite = append(s.CallSite, &typesv1.Location{Name: name})
	}

	return s
}

// total is nil if the stacks have it.
func total(s stacks, err error, expected int64) error {
	if err != nil {
		return err
	}

	return equal("total", s.total(), expected)
}

func (c *client) graphs() {
	const rpc = "SelectMergeStacktraces"

	service := c.service()

	for _, one := range []struct {
		what   string
		w      Window
		labels map[string]string
	}{
		{"a flame graph of all", c.everything(), nil},
		{"of a service", c.everything(), service},
		{"of the first window", c.Windows[0], nil},
		{"of the second window", c.Windows[1], service},
	} {
		c.check(rpc, one.what, func() error {
			q := c.question(selector(one.labels))
			q.Start, q.End = one.w.Start, one.w.End
			s, err := c.flame(q)

			return total(s, err, c.total(one.w, one.labels))
		})
	}

	c.check(rpc, "another type", func() error {
		q := c.question("{}")
		q.ProfileTypeID = c.Other
		s, err := c.flame(q)

		return total(s, err, c.OtherTotal)
	})

	c.check(rpc, "the sixth piece of a type is ignored", func() error {
		q := c.question("{}")
		q.ProfileTypeID += ":delta"
		s, err := c.flame(q)

		return total(s, err, c.total(c.everything(), nil))
	})

	c.check(rpc, "an unknown type: empty", func() error {
		q := c.question("{}")
		q.ProfileTypeID = "a:b:c:d:e"
		s, err := c.flame(q)

		return total(s, err, 0)
	})

	c.check(rpc, "a tree of the flame graph's stacks", func() error {
		s, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		t, err := c.tree(c.question("{}"))

		if err != nil {
			return err
		}

		return sameStacks(t, s)
	})

	c.check(rpc, "an unknown type: no bytes of a tree", func() error {
		q := c.question("{}")
		q.ProfileTypeID, q.Format = "a:b:c:d:e", asTree
		a, err := call(c.querier.SelectMergeStacktraces, q)

		if err != nil {
			return err
		}

		return equal("bytes", len(a.Tree), 0)
	})

	c.check(rpc, "pprof of the flame graph's stacks", func() error {
		s, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		p, err := c.pprof(c.question("{}"))

		if err != nil {
			return err
		}

		return sameStacks(p.stacks, s)
	})

	c.check(rpc, "an unknown type: pprof without samples", func() error {
		q := c.question("{}")
		q.ProfileTypeID = "a:b:c:d:e"
		p, err := c.pprof(q)

		if err != nil {
			return err
		}

		return equal("samples", len(p.stacks), 0)
	})

	c.check(rpc, "DOT", func() error {
		q := c.question("{}")
		q.Format = asDot
		a, err := call(c.querier.SelectMergeStacktraces, q)

		if err != nil {
			return err
		}

		dot := strings.TrimSpace(a.Dot)

		if !strings.HasPrefix(dot, "digraph") || !strings.HasSuffix(dot, "}") ||
			!strings.Contains(dot, "->") {

			return fmt.Errorf("%.200q", dot)
		}

		return nil
	})

	for _, format := range []querierv1.ProfileFormat{0, asTree, asPprof} {
		what := map[querierv1.ProfileFormat]string{0: "flame graph",
			asTree: "tree", asPprof: "pprof"}[format]

		for _, most := range []int64{1, 10, 100} {
			c.check(rpc, fmt.Sprintf("%s of %d nodes and the rest", what, most),
				func() error {
					whole, err := c.flame(c.question("{}"))

					if err != nil {
						return err
					}

					q := c.question("{}")
					q.MaxNodes = &most
					got, err := c.inFormat(q, format)

					if err != nil {
						return err
					}

					return cut(got, whole, format == asPprof)
				})
		}
	}

	c.check(rpc, "as many nodes as there are, or by default", func() error {
		whole, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		for _, most := range []int64{0, int64(whole.nodes()), 1 << 20} {
			q := c.question("{}")
			q.MaxNodes = &most
			s, err := c.flame(q)

			if err == nil {
				err = sameStacks(s, whole)
			}

			if err != nil {
				return fmt.Errorf("max_nodes %d: %w", most, err)
			}
		}

		return nil
	})

	for _, most := range []int64{-1, 1<<20 + 1} {
		c.check(rpc, fmt.Sprintf("max_nodes %d is refused", most), func() error {
			q := c.question("{}")
			q.MaxNodes = &most
			_, err := c.flame(q)

			return invalid(err)
		})
	}
}

func (c *client) inFormat(q *merge, format querierv1.ProfileFormat) (stacks, error) {
	switch format {
	case asTree:
		return c.tree(q)
	case asPprof:
		p, err := c.pprof(q)

		if err != nil {
			return nil, err
		}

		return p.stacks, nil
	default:
		return c.flame(q)
	}
}

// cut is nil if got is what max_nodes may leave of a whole: the same total,
// nodes that the whole has as well and with the same total, and "other".  By
// lines a node may have less: some of a function's lines may be in "other".
func cut(got, whole stacks, lines bool) error {
	others := 0
	seen := map[string]bool{}

	for key := range got {
		for i := range key {
			if key[i] != 0 || seen[key[:i+1]] {
				continue
			}

			node := key[:i+1]
			seen[node] = true

			if node == "other\x00" || strings.HasSuffix(node, "\x00other\x00") {
				others++
			} else if g, w := got.below(node), whole.below(node); g > w ||
				g < w && !lines {

				return fmt.Errorf("%s: %d, in the whole %d", readable(node), g, w)
			}
		}
	}

	if others == 0 || len(seen) >= whole.nodes() {
		return fmt.Errorf("%d nodes, %d of them other; the whole has %d",
			len(seen), others, whole.nodes())
	}

	return equal("total", got.total(), whole.total())
}

// selected asks for some of the samples only.
func (c *client) selected() {
	const rpc = "SelectMergeStacktraces"

	for depth := 1; depth <= 3; depth++ {
		c.check(rpc, fmt.Sprintf("a call site of %d functions: its subtree", depth),
			func() error {
				whole, err := c.flame(c.question("{}"))

				if err != nil {
					return err
				}

				stack, value := whole.heaviest(depth)

				if value == 0 || value > whole.total() {
					return fmt.Errorf("%d of %d", value, whole.total())
				}

				expected := stacks{}

				for key, self := range whole {
					if strings.HasPrefix(key, stack) {
						expected[key] = self
					}
				}

				for _, format := range []querierv1.ProfileFormat{0, asTree, asPprof} {
					q := c.question("{}")
					q.StackTraceSelector = callSite(stack)
					got, err := c.inFormat(q, format)

					if err == nil {
						err = sameStacks(got, expected)
					}

					if err != nil {
						return fmt.Errorf("%v: %w", format, err)
					}
				}

				return nil
			})
	}

	c.check(rpc, "a call site that is not there: empty", func() error {
		q := c.question("{}")
		q.StackTraceSelector = callSite("nowhere\x00")
		s, err := c.flame(q)

		return total(s, err, 0)
	})

	for _, span := range c.Spans {
		c.check(rpc, "the samples of span "+span.ID, func() error {
			q := c.question(span.Selector)
			q.SpanSelector = []string{span.ID}
			s, err := c.flame(q)

			return total(s, err, span.Total)
		})

		for _, format := range []querierv1.ProfileFormat{0, asTree} {
			what := fmt.Sprintf("span %s", span.ID)

			if format == asTree {
				what += ", as a tree"
			}

			c.check("SelectMergeSpanProfile", what, func() error {
				s, err := c.span(span.Selector, format, span.ID)

				return total(s, err, span.Total)
			})
		}
	}

	c.check("SelectMergeSpanProfile", "several spans", func() error {
		var ids []string
		var sum int64

		for _, span := range c.Spans {
			ids, sum = append(ids, span.ID), sum+span.Total
		}

		s, err := c.span(c.Spans[0].Selector, 0, ids...)

		return total(s, err, sum)
	})

	c.check("SelectMergeSpanProfile", "no span restricts nothing", func() error {
		s, err := c.span("{}", 0)

		return total(s, err, c.total(c.everything(), nil))
	})

	c.check("SelectMergeSpanProfile", "a span that is not there: empty", func() error {
		s, err := c.span("{}", 0, "fedcba9876543210")

		return total(s, err, 0)
	})

	c.check("SelectMergeSpanProfile", "max_nodes", func() error {
		whole, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		most := int64(10)
		a, err := call(c.querier.SelectMergeSpanProfile,
			&querierv1.SelectMergeSpanProfileRequest{ProfileTypeID: c.Type,
				LabelSelector: "{}", Start: c.start(), End: c.end(),
				MaxNodes: &most})

		if err != nil {
			return err
		}

		s, err := readFlameGraph(a.Flamegraph)

		if err != nil {
			return err
		}

		return cut(s, whole, false)
	})

	c.check("SelectMergeSpanProfile", "an unknown type: empty", func() error {
		a, err := call(c.querier.SelectMergeSpanProfile,
			&querierv1.SelectMergeSpanProfileRequest{ProfileTypeID: "a:b:c:d:e",
				LabelSelector: "{}", Start: c.start(), End: c.end()})

		if err != nil {
			return err
		}

		s, err := readFlameGraph(a.Flamegraph)

		return total(s, err, 0)
	})

	c.check("SelectMergeSpanProfile", "no span id is refused", func() error {
		_, err := c.span("{}", 0, "not a span")
		return invalid(err)
	})

	for _, trace := range c.Traces {
		c.check(rpc, "the samples of trace "+trace.ID, func() error {
			q := c.question(trace.Selector)
			q.TraceIdSelector = []string{trace.ID}
			s, err := c.flame(q)

			return total(s, err, trace.Total)
		})
	}

	c.check(rpc, "spans and traces at once are refused", func() error {
		q := c.question("{}")
		q.SpanSelector = []string{c.Spans[0].ID}
		q.TraceIdSelector = []string{strings.Repeat("1", 32)}
		_, err := c.flame(q)

		return invalid(err)
	})

	for what, q := range map[string]*merge{
		"no span id":    {SpanSelector: []string{"xyz"}},
		"no trace id":   {TraceIdSelector: []string{"xyz"}},
		"no profile id": {ProfileIdSelector: []string{"xyz"}},
	} {
		c.check(rpc, what+" is refused", func() error {
			q.ProfileTypeID, q.LabelSelector = c.Type, "{}"
			q.Start, q.End = c.start(), c.end()
			_, err := c.flame(q)

			return invalid(err)
		})
	}

	c.check(rpc, "one profile by the id of an exemplar", func() error {
		exemplars, err := c.exemplars()

		if err != nil {
			return err
		}

		for at, e := range exemplars {
			for _, format := range []querierv1.ProfileFormat{0, asTree, asPprof} {
				q := c.question(selector(c.service()))
				q.ProfileIdSelector = []string{e.ProfileId}
				s, err := c.inFormat(q, format)

				if err := total(s, err, e.Value); err != nil {
					return fmt.Errorf("at %d, %v: %w", at, format, err)
				}
			}
		}

		return nil
	})

	c.check(rpc, "all profiles by their ids", func() error {
		exemplars, err := c.exemplars()

		if err != nil {
			return err
		}

		q := c.question("{}")

		for _, e := range exemplars {
			q.ProfileIdSelector = append(q.ProfileIdSelector, e.ProfileId)
		}

		s, err := c.flame(q)

		return total(s, err, c.total(c.everything(), c.service()))
	})

	c.check(rpc, "a profile that is not there: empty", func() error {
		q := c.question("{}")
		q.ProfileIdSelector = []string{stranger}
		s, err := c.flame(q)

		return total(s, err, 0)
	})
}

func (c *client) span(selector string, format querierv1.ProfileFormat,
	ids ...string) (stacks, error) {

	a, err := call(c.querier.SelectMergeSpanProfile,
		&querierv1.SelectMergeSpanProfileRequest{ProfileTypeID: c.Type,
			LabelSelector: selector, Start: c.start(), End: c.end(),
			SpanSelector: ids, Format: format})

	if err != nil {
		return nil, err
	}

	if format == asTree {
		return readTree(a.Tree)
	}

	return readFlameGraph(a.Flamegraph)
}

func (c *client) profiles() {
	const rpc = "SelectMergeProfile"

	question := func() *querierv1.SelectMergeProfileRequest {
		return &querierv1.SelectMergeProfileRequest{ProfileTypeID: c.Type,
			LabelSelector: "{}", Start: c.start(), End: c.end()}
	}

	get := func(q *querierv1.SelectMergeProfileRequest) (*profile, error) {
		a, err := call(c.querier.SelectMergeProfile, q)

		if err != nil {
			return nil, err
		}

		return readProfile(a)
	}

	c.check(rpc, "the flame graph's stacks", func() error {
		p, err := get(question())

		if err != nil {
			return err
		}

		s, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		return errors.Join(sameStacks(p.stacks, s),
			equal("total", p.total(), c.total(c.everything(), nil)))
	})

	c.check(rpc, "types, period, time, lines", func() error {
		a, err := call(c.querier.SelectMergeProfile, question())

		if err != nil {
			return err
		}

		p, err := readProfile(a)

		if err != nil {
			return err
		}

		if p.lines == 0 {
			return errors.New("no line has a number")
		}

		text := func(i int64) string { return a.StringTable[i] }
		pieces := strings.Split(c.Type, ":")

		return errors.Join(
			equal("type", p.typeName, pieces[1]+"/"+pieces[2]),
			equal("period type", text(a.GetPeriodType().GetType())+"/"+
				text(a.GetPeriodType().GetUnit()), pieces[3]+"/"+pieces[4]),
			equal("default type", text(a.DefaultSampleType), pieces[1]),
			equal("period", a.Period, 1_000_000_000),
			equal("time", a.TimeNanos, c.end()*1_000_000))
	})

	c.check(rpc, "another type", func() error {
		q := question()
		q.ProfileTypeID = c.Other
		p, err := get(q)

		if err != nil {
			return err
		}

		return equal("total", p.total(), c.OtherTotal)
	})

	c.check(rpc, "an unknown type: an empty message", func() error {
		q := question()
		q.ProfileTypeID = "a:b:c:d:e"
		p, err := get(q)

		if err != nil {
			return err
		}

		return equal("samples", len(p.stacks), 0)
	})

	for _, most := range []int64{10, 100} {
		c.check(rpc, fmt.Sprintf("%d nodes and the rest", most), func() error {
			whole, err := get(question())

			if err != nil {
				return err
			}

			q := question()
			q.MaxNodes = &most
			p, err := get(q)

			if err != nil {
				return err
			}

			return cut(p.stacks, whole.stacks, true)
		})
	}

	c.check(rpc, "a call site", func() error {
		whole, err := get(question())

		if err != nil {
			return err
		}

		stack, value := whole.heaviest(2)
		q := question()
		q.StackTraceSelector = callSite(stack)
		p, err := get(q)

		if err != nil {
			return err
		}

		return errors.Join(equal("total", p.total(), value),
			equal("outside", p.total()-p.below(stack), 0))
	})

	for _, callees := range []bool{false, true} {
		c.check(rpc, fmt.Sprintf("go_pgo, aggregate_callees %t", callees),
			func() error {
				const keep = 5

				q := question()
				q.StackTraceSelector = &typesv1.StackTraceSelector{
					GoPgo: &typesv1.GoPGO{KeepLocations: keep,
						AggregateCallees: callees}}
				p, err := get(q)

				if err != nil {
					return err
				}

				if p.depth > keep {
					return fmt.Errorf("%d locations, not %d", p.depth, keep)
				}

				return equal("total", p.total(), c.total(c.everything(), nil))
			})
	}

	c.check(rpc, "one profile by the id of an exemplar", func() error {
		exemplars, err := c.exemplars()

		if err != nil {
			return err
		}

		for _, e := range exemplars {
			q := question()
			q.ProfileIdSelector = []string{e.ProfileId}
			p, err := get(q)

			if err != nil {
				return err
			}

			if err := equal("total", p.total(), e.Value); err != nil {
				return err
			}
		}

		return nil
	})

	for _, trace := range c.Traces {
		c.check(rpc, "the samples of trace "+trace.ID, func() error {
			q := question()
			q.LabelSelector = trace.Selector
			q.TraceIdSelector = []string{trace.ID}
			p, err := get(q)

			if err != nil {
				return err
			}

			return equal("total", p.total(), trace.Total)
		})
	}
}

func (c *client) diff() {
	side := func(w Window, labels map[string]string) *merge {
		q := c.question(selector(labels))
		q.Start, q.End = w.Start, w.End

		return q
	}

	diff := func(left, right *merge) (stacks, stacks, error) {
		a, err := call(c.querier.Diff, &querierv1.DiffRequest{Left: left,
			Right: right})

		if err != nil {
			return nil, nil, err
		}

		return readDiff(a.Flamegraph)
	}

	first, second := c.Windows[0], c.Windows[1]

	c.check("Diff", "two windows: each side is its flame graph", func() error {
		left, right, err := diff(side(first, nil), side(second, nil))

		if err != nil {
			return err
		}

		was, err := c.flame(side(first, nil))

		if err != nil {
			return err
		}

		is, err := c.flame(side(second, nil))

		if err != nil {
			return err
		}

		return errors.Join(
			equal("left", left.total(), c.total(first, nil)),
			equal("right", right.total(), c.total(second, nil)),
			sameStacks(left, was), sameStacks(right, is))
	})

	c.check("Diff", "equal sides", func() error {
		left, right, err := diff(side(first, nil), side(first, nil))

		if err != nil {
			return err
		}

		return sameStacks(left, right)
	})

	c.check("Diff", "a side without data", func() error {
		left, right, err := diff(side(first, nil),
			side(second, map[string]string{"service_name": "none"}))

		if err != nil {
			return err
		}

		return errors.Join(equal("left", left.total(), c.total(first, nil)),
			equal("right", right.total(), 0))
	})

	c.check("Diff", "max_nodes", func() error {
		most := int64(20)
		l, r := side(first, nil), side(second, nil)
		l.MaxNodes, r.MaxNodes = &most, &most
		left, right, err := diff(l, r)

		if err != nil {
			return err
		}

		return errors.Join(equal("left", left.total(), c.total(first, nil)),
			equal("right", right.total(), c.total(second, nil)))
	})

	c.check("Diff", "an unknown type: empty", func() error {
		q := side(first, nil)
		q.ProfileTypeID = "a:b:c:d:e"
		a, err := call(c.querier.Diff, &querierv1.DiffRequest{Left: q, Right: q})

		if err != nil {
			return err
		}

		return equal("total", a.GetFlamegraph().GetTotal(), 0)
	})

	c.check("Diff", "a missing side is refused", func() error {
		_, err := call(c.querier.Diff, &querierv1.DiffRequest{
			Left: side(first, nil)})
		return invalid(err)
	})
}
