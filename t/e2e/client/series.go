package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"connectrpc.com/connect"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

var uuid = regexp.MustCompile(
	`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// points are sums (or averages) by "label=value,..." and time.
type points map[string]map[int64]float64

func (p points) total(labels string) (total float64) {
	for _, value := range p[labels] {
		total += value
	}

	return
}

func (p points) sum() (total float64) {
	for labels := range p {
		total += p.total(labels)
	}

	return
}

// Where a time falls on the grid of a start and a step; step in ms.
func slot(at, start, step int64) int64 {
	return start + int64(math.Ceil(float64(at-start)/float64(step)))*step
}

// What the pushes must give.
func (c *client) expectedPoints(q *querierv1.SelectSeriesRequest,
	labels map[string]string) points {

	p := points{}
	count := points{}
	step := int64(q.Step * 1000)

	for _, push := range c.pushes(c.everything(), labels) {
		var set []string

		for _, name := range slices.Sorted(slices.Values(q.GroupBy)) {
			if value, there := push.Labels[name]; there {
				set = append(set, name+"="+value)
			}
		}

		at := slot(push.At, q.Start, step)

		// what is beyond the last point of the grid is not in an answer
		if push.At < q.Start-step || at > q.End {
			continue
		}

		key := strings.Join(set, ",")

		if p[key] == nil {
			p[key] = map[int64]float64{}
			count[key] = map[int64]float64{}
		}

		p[key][at] += float64(push.Total)
		count[key][at]++
	}

	if q.GetAggregation() == average {
		for key := range p {
			for at := range p[key] {
				p[key][at] /= count[key][at]
			}
		}
	}

	return p
}

const average = typesv1.TimeSeriesAggregationType_TIME_SERIES_AGGREGATION_TYPE_AVERAGE

func (c *client) selectSeries(q *querierv1.SelectSeriesRequest) ([]string,
	points, []*typesv1.Series, error) {

	if q.ProfileTypeID == "" {
		q.ProfileTypeID = c.Type
	}

	if q.End == 0 {
		q.Start, q.End = c.start(), c.end()
	}

	a, err := call(c.querier.SelectSeries, q)

	if err != nil {
		return nil, nil, nil, err
	}

	var order []string

	p := points{}

	for _, series := range a.Series {
		key := labelText(series.Labels)

		if p[key] != nil {
			return nil, nil, nil, fmt.Errorf("two series {%s}", key)
		}

		p[key] = map[int64]float64{}
		order = append(order, key)
		last := int64(math.MinInt64)

		for _, point := range series.Points {
			if point.Timestamp <= last {
				return nil, nil, nil, fmt.Errorf("{%s}: %d after %d", key,
					point.Timestamp, last)
			}

			last = point.Timestamp
			p[key][last] = point.Value
		}
	}

	return order, p, a.Series, nil
}

func samePoints(got, expected points) error {
	for key := range got {
		if expected[key] == nil {
			return fmt.Errorf("{%s} is not expected", key)
		}
	}

	for key := range expected {
		if len(got[key]) != len(expected[key]) {
			return fmt.Errorf("{%s}: got %v, expected %v", key, got[key],
				expected[key])
		}

		for at, value := range expected[key] {
			if math.Abs(got[key][at]-value) > 1e-6*value {
				return fmt.Errorf("{%s}: %d has %v, expected %v", key, at,
					got[key][at], value)
			}
		}
	}

	return nil
}

func (c *client) series() {
	service := c.service()
	zone := map[string]string{"zone": c.Pushes[0].Labels["zone"]}

	for _, one := range []struct {
		what   string
		labels map[string]string
		q      *querierv1.SelectSeriesRequest
	}{
		{"the sum, a point each second", nil, &querierv1.SelectSeriesRequest{
			Step: 1}},
		{"the sum of a service", service, &querierv1.SelectSeriesRequest{
			Step: 1}},
		{"grouped by a label", nil, &querierv1.SelectSeriesRequest{
			Step: 1, GroupBy: []string{"service_name"}}},
		{"grouped by two, which not all have", nil, &querierv1.SelectSeriesRequest{
			Step: 60, GroupBy: []string{"env", "zone"}}},
		{"the grid begins with the range", nil, &querierv1.SelectSeriesRequest{
			Step: 15, Start: c.start() + 7, End: c.end() - 3}},
		{"the average", zone, &querierv1.SelectSeriesRequest{
			Step: 600, Start: c.start() + 300_000, End: c.end(),
			Aggregation: average.Enum()}},
	} {
		q := one.q

		c.check("SelectSeries", one.what, func() error {
			q.LabelSelector = selector(one.labels)
			order, got, _, err := c.selectSeries(q)

			if err != nil {
				return err
			}

			for i := 1; i < len(order); i++ {
				if got.total(order[i]) > got.total(order[i-1]) {
					return fmt.Errorf("{%s} is larger than {%s} before it",
						order[i], order[i-1])
				}
			}

			return samePoints(got, c.expectedPoints(q, one.labels))
		})
	}

	c.check("SelectSeries", "the largest by limit", func() error {
		limit := int64(1)
		q := &querierv1.SelectSeriesRequest{LabelSelector: "{}", Step: 60,
			GroupBy: []string{"service_name"}, Limit: &limit}
		_, got, _, err := c.selectSeries(q)

		if err != nil {
			return err
		}

		all := c.expectedPoints(q, nil)
		best := slices.MaxFunc(slices.Collect(maps.Keys(all)),
			func(a, b string) int {
				return int(all.total(a)/1e6 - all.total(b)/1e6)
			})

		return samePoints(got, points{best: all[best]})
	})

	c.check("SelectSeries", "all points are the flame graph's total", func() error {
		_, got, _, err := c.selectSeries(&querierv1.SelectSeriesRequest{
			LabelSelector: "{}", Step: 1})

		if err != nil {
			return err
		}

		s, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		return equal("sum", int64(got.sum()), s.total())
	})

	c.check("SelectSeries", "another type", func() error {
		_, got, _, err := c.selectSeries(&querierv1.SelectSeriesRequest{
			ProfileTypeID: c.Other, LabelSelector: "{}", Step: 1})

		if err != nil {
			return err
		}

		return equal("sum", int64(got.sum()), c.OtherTotal)
	})

	c.check("SelectSeries", "of a call site: not more than all, or refused", func() error {
		q := &querierv1.SelectSeriesRequest{LabelSelector: "{}", Step: 1}
		_, all, _, err := c.selectSeries(q)

		if err != nil {
			return err
		}

		s, err := c.flame(c.question("{}"))

		if err != nil {
			return err
		}

		stack, _ := s.heaviest(2)
		q.StackTraceSelector = callSite(stack)
		_, some, _, err := c.selectSeries(q)

		// the reference ignores the selector; a server may say that it does not
		// know it

		if connect.CodeOf(err) == connect.CodeUnimplemented {
			return nil
		}

		if err == nil && (some.sum() > all.sum() || some.sum() == 0) {
			err = fmt.Errorf("%v of %v", some.sum(), all.sum())
		}

		return err
	})

	c.check("SelectSeries", "no exemplar unless asked for", func() error {
		_, _, series, err := c.selectSeries(&querierv1.SelectSeriesRequest{
			LabelSelector: "{}", Step: 60})

		for _, s := range series {
			for _, point := range s.Points {
				if len(point.Exemplars) > 0 {
					return errors.New("there is one")
				}
			}
		}

		return err
	})

	c.check("SelectSeries", "an exemplar each point", func() error {
		exemplars, err := c.exemplars()

		if err != nil {
			return err
		}

		for _, push := range c.pushes(c.everything(), service) {
			if e := exemplars[push.At]; e == nil || e.Value != push.Total ||
				!uuid.MatchString(e.ProfileId) {

				return fmt.Errorf("at %d, %d: %v", push.At, push.Total, e)
			}
		}

		return equal("exemplars", len(exemplars),
			len(c.pushes(c.everything(), service)))
	})

	c.check("SelectSeries", "labels of exemplars but the group's", func() error {
		exemplars, err := c.exemplars()

		if err != nil {
			return err
		}

		for _, push := range c.pushes(c.everything(), service) {
			labels := map[string]string{}

			for _, l := range exemplars[push.At].GetLabels() {
				labels[l.Name] = l.Value
			}

			for name, value := range push.Labels {
				if name == "service_name" {
					value = ""
				}

				if labels[name] != value {
					return fmt.Errorf("at %d: %s is %q, expected %q", push.At,
						name, labels[name], value)
				}
			}
		}

		return nil
	})

	c.check("SelectSeries", "an unknown type: empty", func() error {
		order, _, _, err := c.selectSeries(&querierv1.SelectSeriesRequest{
			ProfileTypeID: "a:b:c:d:e", LabelSelector: "{}", Step: 1})

		if err != nil {
			return err
		}

		return equal("series", len(order), 0)
	})

	c.check("SelectSeries", "no step is refused", func() error {
		_, _, _, err := c.selectSeries(&querierv1.SelectSeriesRequest{
			LabelSelector: "{}"})
		return invalid(err)
	})
}

// exemplars of the first push's service, by the time that they say.
func (c *client) exemplars() (map[int64]*typesv1.Exemplar, error) {
	_, _, series, err := c.selectSeries(&querierv1.SelectSeriesRequest{
		LabelSelector: selector(c.service()), Step: 1,
		GroupBy:      []string{"service_name"},
		ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL})

	if err != nil {
		return nil, err
	}

	found := map[int64]*typesv1.Exemplar{}

	for _, s := range series {
		for _, point := range s.Points {
			if len(point.Exemplars) > 1 {
				return nil, fmt.Errorf("%d at %d", len(point.Exemplars),
					point.Timestamp)
			}

			for _, e := range point.Exemplars {
				found[e.Timestamp] = e
			}
		}
	}

	if len(found) == 0 {
		return nil, errors.New("no exemplar")
	}

	return found, nil
}

const (
	individual = querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_INDIVIDUAL
	bySpan     = querierv1.HeatmapQueryType_HEATMAP_QUERY_TYPE_SPAN
	buckets    = 20
)

func (c *client) selectHeatmap(q *querierv1.SelectHeatmapRequest) (
	[]*typesv1.HeatmapSeries, error) {

	if q.ProfileTypeID == "" {
		q.ProfileTypeID = c.Type
	}

	q.Start, q.End = c.start()-5000, c.end()
	a, err := call(c.querier.SelectHeatmap, q)

	return a.GetSeries(), err
}

// Checks the shape; the number of what is counted at each time.
func readHeatmap(series []*typesv1.HeatmapSeries) (map[int64]int, error) {
	counts := map[int64]int{}

	for _, s := range series {
		last := int64(math.MinInt64)

		for _, slot := range s.Slots {
			if slot.Timestamp <= last {
				return nil, fmt.Errorf("%d after %d", slot.Timestamp, last)
			}

			last = slot.Timestamp

			if len(slot.YMin) != buckets || len(slot.Counts) != buckets {
				return nil, fmt.Errorf("%d bounds, %d counts", len(slot.YMin),
					len(slot.Counts))
			}

			for i, n := range slot.Counts {
				if n < 0 || i > 0 && slot.YMin[i] <= slot.YMin[i-1] {
					return nil, fmt.Errorf("bounds %v, counts %v", slot.YMin,
						slot.Counts)
				}

				counts[slot.Timestamp] += int(n)
			}
		}
	}

	return counts, nil
}

func (c *client) heatmap() {
	service := c.service()

	c.check("SelectHeatmap", "profiles of a service by time", func() error {
		q := &querierv1.SelectHeatmapRequest{LabelSelector: selector(service),
			Step: 10, QueryType: individual}
		series, err := c.selectHeatmap(q)

		if err != nil {
			return err
		}

		got, err := readHeatmap(series)

		if err != nil {
			return err
		}

		expected := map[int64]int{}

		for _, p := range c.pushes(c.everything(), service) {
			expected[slot(p.At, q.Start, 10_000)]++
		}

		maps.DeleteFunc(got, func(_ int64, n int) bool { return n == 0 })

		return equal("counts", got, expected)
	})

	c.check("SelectHeatmap", "by value: the least is in the first bucket, "+
		"the most in the last", func() error {

		series, err := c.selectHeatmap(&querierv1.SelectHeatmapRequest{
			LabelSelector: selector(service), Step: 60,
			QueryType: individual})

		if err != nil {
			return err
		}

		if len(series) != 1 || len(series[0].Slots) == 0 {
			return fmt.Errorf("%v", series)
		}

		low, high := int64(math.MaxInt64), int64(0)

		for _, p := range c.pushes(c.everything(), service) {
			low, high = min(low, p.Total), max(high, p.Total)
		}

		var counts [buckets]int

		for _, slot := range series[0].Slots {
			for i, n := range slot.Counts {
				bound := float64(low) + float64(high-low)*float64(i)/buckets

				if math.Abs(slot.YMin[i]-bound) > 1 {
					return fmt.Errorf("bound %d is %v, expected %v", i,
						slot.YMin[i], bound)
				}

				counts[i] += int(n)
			}
		}

		if counts[0] == 0 || counts[buckets-1] == 0 {
			return fmt.Errorf("counts %v", counts)
		}

		return nil
	})

	c.check("SelectHeatmap", "grouped, with exemplars", func() error {
		series, err := c.selectHeatmap(&querierv1.SelectHeatmapRequest{
			LabelSelector: "{}", Step: 60, QueryType: individual,
			GroupBy:      []string{"service_name"},
			ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_INDIVIDUAL})

		if err != nil {
			return err
		}

		if _, err := readHeatmap(series); err != nil {
			return err
		}

		var names []string

		for _, s := range series {
			names = append(names, labelText(s.Labels))

			for _, slot := range s.Slots {
				if len(slot.Exemplars) == 0 {
					return fmt.Errorf("{%s}: none at %d", labelText(s.Labels),
						slot.Timestamp)
				}

				for _, e := range slot.Exemplars {
					if !uuid.MatchString(e.ProfileId) || e.Value <= 0 {
						return fmt.Errorf("exemplar %v", e)
					}
				}
			}
		}

		slices.Sort(names)

		var expected []string

		for _, service := range c.values("service_name", nil) {
			expected = append(expected, "service_name="+service)
		}

		return equal("series", names, expected)
	})

	c.check("SelectHeatmap", "limit", func() error {
		limit := int64(1)
		series, err := c.selectHeatmap(&querierv1.SelectHeatmapRequest{
			LabelSelector: "{}", Step: 60, QueryType: individual,
			GroupBy: []string{"service_name"}, Limit: &limit})

		if err != nil {
			return err
		}

		return equal("series", len(series), 1)
	})

	c.check("SelectHeatmap", "spans, with exemplars", func() error {
		series, err := c.selectHeatmap(&querierv1.SelectHeatmapRequest{
			LabelSelector: c.Spans[0].Selector, Step: 60, QueryType: bySpan,
			ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_SPAN})

		if err != nil {
			return err
		}

		counts, err := readHeatmap(series)

		if err != nil {
			return err
		}

		n := 0

		for _, count := range counts {
			n += count
		}

		for _, s := range series {
			for _, slot := range s.Slots {
				for _, e := range slot.Exemplars {
					if !slices.ContainsFunc(c.Spans, func(s Some) bool {
						return s.ID == e.SpanId && s.Total == e.Value
					}) {
						return fmt.Errorf("exemplar %v", e)
					}
				}
			}
		}

		return equal("spans", n, len(c.Spans))
	})

	c.check("SelectHeatmap", "an unknown type: empty", func() error {
		series, err := c.selectHeatmap(&querierv1.SelectHeatmapRequest{
			ProfileTypeID: "a:b:c:d:e", LabelSelector: "{}", Step: 60,
			QueryType: individual})

		if err != nil {
			return err
		}

		return equal("series", len(series), 0)
	})

	negative := int64(-1)

	for what, q := range map[string]*querierv1.SelectHeatmapRequest{
		"no step":          {QueryType: individual},
		"no type of query": {Step: 60},
		"a limit below 0":  {Step: 60, QueryType: individual, Limit: &negative},
		"exemplars of another type": {Step: 60, QueryType: individual,
			ExemplarType: typesv1.ExemplarType_EXEMPLAR_TYPE_SPAN},
	} {
		c.check("SelectHeatmap", what+" is refused", func() error {
			q.LabelSelector = "{}"
			_, err := c.selectHeatmap(q)
			return invalid(err)
		})
	}
}
