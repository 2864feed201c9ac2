package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"
	capabilitiesv1 "github.com/grafana/pyroscope/api/gen/proto/go/capabilities/v1"
	querierv1 "github.com/grafana/pyroscope/api/gen/proto/go/querier/v1"
	settingsv1 "github.com/grafana/pyroscope/api/gen/proto/go/settings/v1"
	typesv1 "github.com/grafana/pyroscope/api/gen/proto/go/types/v1"
	versionv1 "github.com/grafana/pyroscope/api/gen/proto/go/version/v1"
)

// side asks what is beside profiles.
func (c *client) side() {
	c.check("GetProfileStats", "there is data, and of when", func() error {
		a, err := call(c.querier.GetProfileStats,
			&typesv1.GetProfileStatsRequest{})

		if err != nil {
			return err
		}

		first, last := c.Pushes[0].At, c.Pushes[0].At

		for _, p := range c.Pushes {
			first, last = min(first, p.At), max(last, p.At)
		}

		return errors.Join(equal("data", a.DataIngested, true),
			equal("oldest", a.OldestProfileTime, first),
			equal("newest", a.NewestProfileTime, last))
	})

	// an answer without anything in it is one as well
	c.check("AnalyzeQuery", "an answer", func() error {
		a, err := call(c.querier.AnalyzeQuery, &querierv1.AnalyzeQueryRequest{
			Start: c.start(), End: c.end(), Query: c.Type + "{}"})

		if err != nil {
			return err
		}

		for _, scope := range a.QueryScopes {
			if scope.ComponentType == "" {
				return fmt.Errorf("a scope without a name: %v", scope)
			}
		}

		return nil
	})

	c.check("Version", "the querier's API is 1", func() error {
		a, err := call(c.version.Version, &versionv1.VersionRequest{})

		if err != nil {
			return err
		}

		return equal("version", a.QuerierAPI, 1)
	})

	c.check("GetFeatureFlags", "flags, each once", func() error {
		a, err := call(c.flags.GetFeatureFlags,
			&capabilitiesv1.GetFeatureFlagsRequest{})

		if err != nil {
			return err
		}

		var names []string

		for _, f := range a.FeatureFlags {
			names = append(names, f.Name)
		}

		slices.Sort(names)

		if !slices.Contains(names, "utf8LabelNames") ||
			len(slices.Compact(slices.Clone(names))) != len(names) {

			return fmt.Errorf("%v", names)
		}

		return nil
	})

	c.settingsService()
}

func (c *client) settingsService() {
	name := "ngx-" + c.name

	find := func() (*settingsv1.Setting, error) {
		a, err := call(c.settings.Get, &settingsv1.GetSettingsRequest{})

		if err != nil {
			return nil, err
		}

		for _, s := range a.Settings {
			if s.Name == name {
				return s, nil
			}
		}

		return nil, nil
	}

	set := func(value string, at int64) (*settingsv1.Setting, error) {
		a, err := call(c.settings.Set, &settingsv1.SetSettingsRequest{
			Setting: &settingsv1.Setting{Name: name, Value: value,
				ModifiedAt: at}})

		return a.GetSetting(), err
	}

	c.check("Settings", "Get: one that was not set", func() error {
		s, err := find()

		if err == nil && s != nil {
			err = fmt.Errorf("%v", s)
		}

		return err
	})

	for _, value := range []string{`{"collapsed":true}`, "ünï ✓\n\"", ""} {
		c.check("Settings", fmt.Sprintf("Set and Get: %q", value), func() error {
			before := time.Now().Add(-time.Minute).UnixMilli()
			s, err := set(value, 0)

			if err != nil {
				return err
			}

			got, err := find()

			if err != nil {
				return err
			}

			if s.GetModifiedAt() < before {
				return fmt.Errorf("modified at %d", s.GetModifiedAt())
			}

			return errors.Join(equal("name", s.GetName(), name),
				equal("value", s.GetValue(), value),
				equal("got", got.GetName()+"="+got.GetValue(), name+"="+value),
				equal("its time", got.GetModifiedAt(), s.GetModifiedAt()))
		})
	}

	c.check("Settings", "Set: older than what is there is refused", func() error {
		s, err := set("new", 0)

		if err != nil {
			return err
		}

		_, err = set("old", s.ModifiedAt-1000)

		if err := refused(err, connect.CodeAlreadyExists); err != nil {
			return err
		}

		s, err = find()

		if err != nil {
			return err
		}

		return equal("value", s.GetValue(), "new")
	})

	c.check("Settings", "Set: nothing is refused", func() error {
		_, err := call(c.settings.Set, &settingsv1.SetSettingsRequest{})
		return invalid(err)
	})

	c.check("Settings", "Delete: it is gone", func() error {
		_, err := call(c.settings.Delete,
			&settingsv1.DeleteSettingsRequest{Name: name})

		if err != nil {
			return err
		}

		s, err := find()

		if err == nil && s != nil {
			err = fmt.Errorf("%v", s)
		}

		return err
	})

	c.check("Settings", "Delete: no name is refused", func() error {
		_, err := call(c.settings.Delete, &settingsv1.DeleteSettingsRequest{})
		return invalid(err)
	})
}

// A question with a selector, a type and a range that may be wrong.
type ask func(selector, profileType string, start, end int64) error

// refusals asks for what no RPC can answer.
func (c *client) refusals() {
	asks := map[string]ask{
		"LabelNames": func(s, _ string, start, end int64) error {
			_, err := call(c.querier.LabelNames, &typesv1.LabelNamesRequest{
				Matchers: []string{s}, Start: start, End: end})
			return err
		},
		"LabelValues": func(s, _ string, start, end int64) error {
			_, err := call(c.querier.LabelValues, &typesv1.LabelValuesRequest{
				Name: "service_name", Matchers: []string{s}, Start: start,
				End: end})
			return err
		},
		"Series": func(s, _ string, start, end int64) error {
			_, err := call(c.querier.Series, &querierv1.SeriesRequest{
				Matchers: []string{s}, Start: start, End: end})
			return err
		},
		"SelectSeries": func(s, t string, start, end int64) error {
			_, err := call(c.querier.SelectSeries,
				&querierv1.SelectSeriesRequest{ProfileTypeID: t,
					LabelSelector: s, Start: start, End: end, Step: 1})
			return err
		},
		"SelectMergeStacktraces": func(s, t string, start, end int64) error {
			_, err := call(c.querier.SelectMergeStacktraces,
				&merge{ProfileTypeID: t, LabelSelector: s, Start: start,
					End: end})
			return err
		},
		"SelectMergeSpanProfile": func(s, t string, start, end int64) error {
			_, err := call(c.querier.SelectMergeSpanProfile,
				&querierv1.SelectMergeSpanProfileRequest{ProfileTypeID: t,
					LabelSelector: s, Start: start, End: end})
			return err
		},
		"SelectMergeProfile": func(s, t string, start, end int64) error {
			_, err := call(c.querier.SelectMergeProfile,
				&querierv1.SelectMergeProfileRequest{ProfileTypeID: t,
					LabelSelector: s, Start: start, End: end})
			return err
		},
		"SelectHeatmap": func(s, t string, start, end int64) error {
			_, err := call(c.querier.SelectHeatmap,
				&querierv1.SelectHeatmapRequest{ProfileTypeID: t,
					LabelSelector: s, Start: start, End: end, Step: 60,
					QueryType: individual})
			return err
		},
		"Diff": func(s, t string, start, end int64) error {
			_, err := call(c.querier.Diff, &querierv1.DiffRequest{
				Left: c.question("{}"), Right: &merge{ProfileTypeID: t,
					LabelSelector: s, Start: start, End: end}})
			return err
		},
	}

	for _, rpc := range []string{"LabelNames", "LabelValues", "Series",
		"SelectSeries", "SelectMergeStacktraces", "SelectMergeSpanProfile",
		"SelectMergeProfile", "SelectHeatmap", "Diff"} {

		f := asks[rpc]
		start, end := c.start(), c.end()

		for _, selector := range []string{"{service_name=}", `{a~"b"}`, "{",
			`{a=~"("}`} {

			c.check(rpc, "the selector "+selector+" is refused", func() error {
				return invalid(f(selector, c.Type, start, end))
			})
		}

		c.check(rpc, "an end before the start is refused", func() error {
			return invalid(f("{}", c.Type, end, start))
		})

		if rpc == "LabelNames" || rpc == "LabelValues" || rpc == "Series" {
			continue
		}

		c.check(rpc, "a type of two pieces is refused", func() error {
			return invalid(f("{}", "process_cpu:cpu", start, end))
		})
	}

	c.check("ProfileTypes", "an end before the start is refused", func() error {
		_, err := call(c.querier.ProfileTypes,
			&querierv1.ProfileTypesRequest{Start: c.end(), End: c.start()})
		return invalid(err)
	})
}

// canceled goes away while the server is at work.
func (c *client) canceled() {
	const rpc = "SelectMergeStacktraces"

	c.check(rpc, "canceled before it is sent", func() error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := callWith(ctx, c.querier.SelectMergeStacktraces,
			c.question("{}"))

		return equal("code", connect.CodeOf(err), connect.CodeCanceled)
	})

	c.check(rpc, "canceled at any moment", func() error {
		for i := range 40 {
			ctx, cancel := context.WithCancel(context.Background())
			timer := time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
			_, err := callWith(ctx, c.querier.SelectMergeStacktraces,
				c.question("{}"))

			timer.Stop()
			cancel()

			if err != nil && connect.CodeOf(err) != connect.CodeCanceled {
				return err
			}
		}

		return nil
	})

	c.check(rpc, "a deadline at any moment", func() error {
		for i := range 40 {
			ctx, cancel := context.WithTimeout(context.Background(),
				time.Duration(i)*100*time.Microsecond)
			_, err := callWith(ctx, c.querier.SelectMergeStacktraces,
				c.question("{}"))

			cancel()

			if err != nil && connect.CodeOf(err) != connect.CodeDeadlineExceeded {
				return err
			}
		}

		return nil
	})

	c.check(rpc, "and then it answers", func() error {
		s, err := c.flame(c.question("{}"))

		return total(s, err, c.total(c.everything(), nil))
	})
}
