package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
)

const utf8Names = "*/*;allow-utf8-labelnames=true"

// The names that every series has.
var private = []string{"__name__", "__period_type__", "__period_unit__",
	"__profile_type__", "__service_name__", "__type__", "__unit__",
	"service_name"}

func legacy(name string) bool { return !strings.ContainsAny(name, ".-/") }

func (c *client) everything() Window { return Window{c.start(), c.end()} }

// Sorted values of a label, of pushes with those labels.
func (c *client) values(name string, labels map[string]string) []string {
	values := map[string]bool{}

	for _, p := range c.pushes(c.everything(), labels) {
		if value, there := p.Labels[name]; there {
			values[value] = true
		}
	}

	return slices.Sorted(maps.Keys(values))
}

func selector(labels map[string]string) string {
	var matchers []string

	for _, name := range slices.Sorted(maps.Keys(labels)) {
		matchers = append(matchers, fmt.Sprintf("%s=%q", name, labels[name]))
	}

	return "{" + strings.Join(matchers, ",") + "}"
}

// Labels that some pushes have and others do not.
func (c *client) service() map[string]string {
	return map[string]string{"service_name": c.Pushes[0].Labels["service_name"]}
}

func (c *client) labels() {
	start, end := c.start(), c.end()
	service := c.service()

	types := func(q *querierv1.ProfileTypesRequest) (string, error) {
		a, err := call(c.querier.ProfileTypes, q)

		if err != nil {
			return "", err
		}

		var ids []string

		for _, t := range a.ProfileTypes {
			id := strings.Join([]string{t.Name, t.SampleType, t.SampleUnit,
				t.PeriodType, t.PeriodUnit}, ":")

			if t.ID != id {
				return "", fmt.Errorf("%s has the fields %s", t.ID, id)
			}

			ids = append(ids, id)
		}

		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			return "", fmt.Errorf("not in order: %v", ids)
		}

		return strings.Join(ids, " "), nil
	}

	c.check("ProfileTypes", "those of the range, in order", func() error {
		ids, err := types(&querierv1.ProfileTypesRequest{Start: start, End: end})

		if err != nil {
			return err
		}

		for _, id := range []string{c.Type, c.Other} {
			if !slices.Contains(strings.Fields(ids), id) {
				return fmt.Errorf("no %s in %s", id, ids)
			}
		}

		return nil
	})

	c.check("ProfileTypes", "without a range", func() error {
		_, err := types(&querierv1.ProfileTypesRequest{})
		return err
	})

	c.check("ProfileTypes", "none in an empty range", func() error {
		ids, err := types(&querierv1.ProfileTypesRequest{Start: 1, End: 2})

		if err != nil {
			return err
		}

		return equal("types", ids, "")
	})

	names := func(q *typesv1.LabelNamesRequest, headers ...string) ([]string, error) {
		a, err := call(c.querier.LabelNames, q, headers...)

		if err == nil && !slices.IsSorted(a.Names) {
			err = fmt.Errorf("not in order: %v", a.Names)
		}

		return a.GetNames(), err
	}

	// of pushes with those labels: the names there, and those not there
	namesOf := func(q *typesv1.LabelNamesRequest, labels map[string]string,
		all bool, headers ...string) error {

		got, err := names(q, headers...)

		if err != nil {
			return err
		}

		expected := slices.Clone(private)
		has := map[string]bool{}

		for _, p := range c.pushes(c.everything(), labels) {
			for name := range p.Labels {
				has[name] = true
			}
		}

		for _, p := range c.Pushes {
			for name := range p.Labels {
				there := has[name] && (all || legacy(name))

				if there {
					expected = append(expected, name)
				} else if slices.Contains(got, name) {
					return fmt.Errorf("%s is in %v", name, got)
				}
			}
		}

		for _, name := range expected {
			if !slices.Contains(got, name) {
				return fmt.Errorf("no %s in %v", name, got)
			}
		}

		return nil
	}

	c.check("LabelNames", "all that are plain", func() error {
		return namesOf(&typesv1.LabelNamesRequest{Start: start, End: end}, nil,
			false)
	})

	c.check("LabelNames", "with dots for those who can read them", func() error {
		return namesOf(&typesv1.LabelNamesRequest{Start: start, End: end}, nil,
			true, "Accept", utf8Names)
	})

	c.check("LabelNames", "of a service", func() error {
		return namesOf(&typesv1.LabelNamesRequest{Start: start, End: end,
			Matchers: []string{selector(service)}}, service, false)
	})

	c.check("LabelNames", "without a range", func() error {
		return namesOf(&typesv1.LabelNamesRequest{}, nil, false)
	})

	values := func(q *typesv1.LabelValuesRequest, expected []string) error {
		a, err := call(c.querier.LabelValues, q)

		if err != nil {
			return err
		}

		return equal("values", a.Names, expected)
	}

	c.check("LabelValues", "all services, in order", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "service_name",
			Start: start, End: end}, c.values("service_name", nil))
	})

	c.check("LabelValues", "of a service, by two selectors", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "zone",
			Matchers: []string{selector(service), `{service_name="none"}`},
			Start:    start, End: end}, c.values("zone", service))
	})

	c.check("LabelValues", "of a profile type, as Grafana asks", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "service_name",
			Matchers: []string{fmt.Sprintf("{__profile_type__=%q}", c.Type)},
			Start:    start, End: end}, c.values("service_name", nil))
	})

	c.check("LabelValues", "of a private label", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "__name__",
			Matchers: []string{fmt.Sprintf("{__profile_type__=%q}", c.Type)},
			Start:    start, End: end},
			[]string{strings.Split(c.Type, ":")[0]})
	})

	c.check("LabelValues", "of a label that nothing has", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "nowhere",
			Start: start, End: end}, nil)
	})

	c.check("LabelValues", "without a range", func() error {
		return values(&typesv1.LabelValuesRequest{Name: "service_name"},
			c.values("service_name", nil))
	})

	c.check("LabelValues", "the question in gzip", func() error {
		a, err := call(c.zipped.LabelValues, &typesv1.LabelValuesRequest{
			Name: "service_name", Start: start, End: end})

		if err != nil {
			return err
		}

		return equal("values", a.Names, c.values("service_name", nil))
	})

	c.check("LabelValues", "no name is refused", func() error {
		_, err := call(c.querier.LabelValues,
			&typesv1.LabelValuesRequest{Start: start, End: end})
		return invalid(err)
	})

	sets := func(q *querierv1.SeriesRequest) ([]string, error) {
		q.Start, q.End = start, end
		a, err := call(c.querier.Series, q)

		if err != nil {
			return nil, err
		}

		var all []string

		for _, set := range a.LabelsSet {
			all = append(all, labelText(set.Labels))
		}

		if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != len(all) {
			return nil, fmt.Errorf("a set is there twice: %v", all)
		}

		return all, nil
	}

	c.check("Series", "services and types, as Drilldown asks", func() error {
		got, err := sets(&querierv1.SeriesRequest{
			LabelNames: []string{"service_name", "__profile_type__"}})

		if err != nil {
			return err
		}

		for _, service := range c.values("service_name", nil) {
			set := fmt.Sprintf("__profile_type__=%s,service_name=%s", c.Type,
				service)

			if !slices.Contains(got, set) {
				return fmt.Errorf("no %s in %v", set, got)
			}
		}

		return nil
	})

	c.check("Series", "one label of one type", func() error {
		got, err := sets(&querierv1.SeriesRequest{
			Matchers:   []string{fmt.Sprintf("{__profile_type__=%q}", c.Type)},
			LabelNames: []string{"service_name"}})

		if err != nil {
			return err
		}

		var expected []string

		for _, service := range c.values("service_name", nil) {
			expected = append(expected, "service_name="+service)
		}

		return equal("sets", got, expected)
	})

	c.check("Series", "all labels of a service", func() error {
		got, err := sets(&querierv1.SeriesRequest{
			Matchers: []string{selector(service)}})

		if err != nil {
			return err
		}

		if len(got) == 0 {
			return fmt.Errorf("no set")
		}

		for _, set := range got {
			for _, name := range private {
				if !strings.Contains(","+set, ","+name+"=") {
					return fmt.Errorf("no %s in %s", name, set)
				}
			}
		}

		return nil
	})

	c.check("Series", "a label that nothing has gives one empty set", func() error {
		got, err := sets(&querierv1.SeriesRequest{
			LabelNames: []string{"nowhere"}})

		if err != nil {
			return err
		}

		return equal("sets", fmt.Sprintf("%q", got), `[""]`)
	})
}

// "a=b,c=d"
func labelText(labels []*typesv1.LabelPair) string {
	var pairs []string

	for _, l := range labels {
		pairs = append(pairs, l.Name+"="+l.Value)
	}

	return strings.Join(pairs, ",")
}
