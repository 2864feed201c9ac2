package main

import (
	"maps"
	"testing"

	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
)

var example = stacks{"main\x00foo\x00bar\x00": 3, "main\x00foo\x00": 1,
	"main\x00baz\x00": 2}

func exampleGraph() *querierv1.FlameGraph {
	return &querierv1.FlameGraph{
		Names: []string{"total", "main", "foo", "bar", "baz"},
		Levels: []*querierv1.Level{
			{Values: []int64{0, 6, 0, 0}},
			{Values: []int64{0, 6, 0, 1}},
			{Values: []int64{0, 2, 2, 4, 0, 4, 1, 2}},
			{Values: []int64{3, 3, 3, 3}},
		},
		Total: 6, MaxSelf: 3,
	}
}

func TestFlameGraph(t *testing.T) {
	s, err := readFlameGraph(exampleGraph())

	if err != nil || !maps.Equal(s, example) {
		t.Fatal(s, err)
	}

	if s.nodes() != 4 || s.below("main\x00foo\x00") != 4 {
		t.Fatal(s.nodes(), s.below("main\x00foo\x00"))
	}
}

func TestFlameGraphFaults(t *testing.T) {
	for what, change := range map[string]func(*querierv1.FlameGraph){
		"total":    func(g *querierv1.FlameGraph) { g.Total++ },
		"max self": func(g *querierv1.FlameGraph) { g.MaxSelf++ },
		"name":     func(g *querierv1.FlameGraph) { g.Names[4] = "foo" },
		"order":    func(g *querierv1.FlameGraph) { g.Names[4] = "zoo" },
		"self":     func(g *querierv1.FlameGraph) { g.Levels[2].Values[6] = 0 },
		"place":    func(g *querierv1.FlameGraph) { g.Levels[3].Values[0] = 2 },
		"index":    func(g *querierv1.FlameGraph) { g.Levels[3].Values[3] = 5 },
		"gone":     func(g *querierv1.FlameGraph) { g.Levels = g.Levels[:3] },
		"early":    func(g *querierv1.FlameGraph) { g.Levels[1].Values = nil },
	} {
		g := exampleGraph()
		change(g)

		if _, err := readFlameGraph(g); err == nil {
			t.Errorf("%s: no fault", what)
		}
	}
}

func TestDiff(t *testing.T) {
	left, right, err := readDiff(&querierv1.FlameGraphDiff{
		Names: []string{"total", "main", "foo", "baz"},
		Levels: []*querierv1.Level{
			{Values: []int64{0, 4, 0, 0, 1, 0, 0}},
			{Values: []int64{0, 4, 0, 0, 1, 0, 1}},
			{Values: []int64{0, 1, 1, 0, 0, 0, 3, 0, 3, 3, 0, 1, 1, 2}},
		},
		Total: 5, MaxSelf: 3, LeftTicks: 4, RightTicks: 1,
	})

	if err != nil ||
		!maps.Equal(left, stacks{"main\x00foo\x00": 3, "main\x00baz\x00": 1}) ||
		!maps.Equal(right, stacks{"main\x00foo\x00": 1}) {

		t.Fatal(left, right, err)
	}
}

func TestTree(t *testing.T) {
	bytes := "\x00\x00\x01\x04main\x00\x02\x03foo\x01\x01\x03bar\x03\x00" +
		"\x03baz\x02\x00"

	s, err := readTree([]byte(bytes))

	if err != nil || !maps.Equal(s, example) {
		t.Fatal(s, err)
	}

	for i := 1; i < len(bytes); i++ {
		if _, err := readTree([]byte(bytes[:i])); err == nil {
			t.Errorf("%d bytes: no fault", i)
		}
	}

	if _, err := readTree([]byte(bytes + "x")); err == nil {
		t.Error("a byte too many: no fault")
	}
}
