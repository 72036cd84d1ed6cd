package main

import (
	"bytes"
	"encoding/json"
)

// object is JSON's; its keys are written in alphabetical order.
type object = map[string]any

var (
	metricsSource = object{"type": "prometheus", "uid": "prometheus"}
	logsSource    = object{"type": "loki", "uid": "loki"}
)

// schema is the edition of Grafana's dashboards that this is written in.
const schema = 42

// json is the dashboard as Grafana reads it.
func (d dashboard) json() ([]byte, error) {
	var panels []object
	y := 0
	add := func(p object, x, width, height int) {
		p["id"] = len(panels) + 1
		p["gridPos"] = object{"x": x, "y": y, "w": width, "h": height}
		panels = append(panels, p)
	}
	for _, r := range d.rows {
		add(object{"type": "row", "title": r.title, "collapsed": false, "panels": []object{}}, 0, page, 1)
		y++
		x := 0
		for _, p := range r.panels {
			if x+p.width > page {
				x, y = 0, y+r.height
			}
			add(p.json(), x, p.width, r.height)
			x += p.width
		}
		y += r.height
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // expressions are to be read
	encoder.SetIndent("", " ")
	err := encoder.Encode(object{
		"uid": d.uid, "title": d.title, "description": d.about, "tags": []string{"alphapulse"},
		"schemaVersion": schema, "editable": false, "graphTooltip": 1, "timezone": "browser", "refresh": "30s", "liveNow": false,
		"time":        object{"from": "now-3h", "to": "now"},
		"links":       links(d.uid),
		"templating":  object{"list": d.choices()},
		"annotations": object{"list": []object{firing}},
		"panels":      panels,
	})
	return text.Bytes(), err
}

// page is its width.
const page = 24

// firing marks in every graph when an alert began that wakes somebody.
var firing = object{
	"name": "alerts that page", "enable": true, "hide": false, "iconColor": "red", "datasource": metricsSource,
	"expr": `ALERTS{alertstate="firing", severity="page"}`, "step": "60s", "titleFormat": "{{alertname}}", "useValueForTime": false,
}

// links lead to the others, with the time that is looked at.
func links(from string) (all []object) {
	for _, d := range dashboards {
		if d.uid != from {
			all = append(all, link(d.title, d.about, d.uid))
		}
	}
	return all
}

func link(title, about, uid string) object {
	return object{
		"type": "link", "title": title, "url": "/d/" + uid, "keepTime": true, "includeVars": false, "targetBlank": false, "asDropdown": false,
		"icon": "dashboard", "tags": []string{}, "tooltip": about,
	}
}

func (d dashboard) choices() []object {
	all := []object{}
	for _, v := range d.variables {
		all = append(all, object{
			"type": "query", "name": v.name, "label": v.title, "datasource": metricsSource,
			"query":   object{"query": "label_values(" + v.metric + ", " + v.name + ")", "refId": "A"},
			"refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*", "hide": 0, "skipUrlSync": false,
			"current": object{"text": []string{"All"}, "value": []string{"$__all"}}, "options": []object{},
		})
	}
	return all
}

func (p panel) json() object {
	panel := object{"type": string(p.kind), "title": p.title, "description": p.about, "transparent": false}
	if p.kind == words {
		panel["options"] = object{"mode": "markdown", "content": p.text}
		return panel
	}
	source, targets := metricsSource, []object{}
	for i, q := range p.queries {
		target := object{"refId": string(rune('A' + i)), "expr": q.expr, "legendFormat": q.legend}
		// A light is asked for this very moment: the last value of a series that has ended would go on being green.
		now := p.kind == light || p.kind == bars || p.kind == table
		if q.logs {
			source = logsSource
			target["queryType"] = map[bool]string{true: "instant", false: "range"}[now]
		} else {
			target["instant"], target["range"] = now, !now
			target["format"] = map[bool]string{true: "table", false: "time_series"}[p.kind == table]
		}
		target["datasource"] = source
		targets = append(targets, target)
	}
	panel["datasource"], panel["targets"] = source, targets
	panel["options"] = p.options()
	panel["fieldConfig"] = object{"defaults": p.defaults(), "overrides": p.overrides()}
	if p.kind == table {
		panel["transformations"] = []object{{"id": "organize", "options": p.organized()}}
	}
	if p.leads != "" {
		panel["links"] = []object{link("More", "", p.leads)}
	}
	return panel
}

func (p panel) defaults() object {
	var steps []object
	for i, l := range p.limits {
		step := object{"color": l.color, "value": nil}
		if i > 0 {
			step["value"] = l.from
		}
		steps = append(steps, step)
	}
	mode := "thresholds"
	if steps == nil {
		steps = []object{{"color": "blue", "value": nil}}
	}
	if p.kind == graph {
		mode = "palette-classic"
	}
	// What cannot be seen is not well.
	mappings := []object{{"type": "special", "options": object{"match": "null+nan", "result": object{"text": "no data", "color": purple, "index": 0}}}}
	if p.says != nil {
		values := object{}
		for value, s := range p.says {
			values[value] = object{"text": s.text, "color": s.color, "index": 1}
		}
		mappings = append(mappings, object{"type": "value", "options": values})
	}
	all := object{
		"unit": string(p.unit), "color": object{"mode": mode}, "noValue": "no data",
		"thresholds": object{"mode": "absolute", "steps": steps}, "mappings": mappings,
	}
	if p.floor != nil {
		all["min"] = *p.floor
	}
	if p.ceiling != nil {
		all["max"] = *p.ceiling
	}
	if p.kind == graph {
		all["custom"] = p.drawing()
	}
	return all
}

// drawing is how lines look; where a limit begins there is a line, too.
func (p panel) drawing() object {
	fill, stack, limits := 5, "none", "off"
	if p.stacked {
		fill, stack = 40, "normal"
	}
	if p.limits != nil {
		limits = "dashed"
	}
	return object{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": fill, "showPoints": "never", "spanNulls": false, "lineInterpolation": "linear",
		"stacking": object{"mode": stack, "group": "A"}, "thresholdsStyle": object{"mode": limits}, "axisPlacement": "auto",
	}
}

func (p panel) options() object {
	last := object{"calcs": []string{"last"}, "fields": "", "values": false}
	switch p.kind {
	case light:
		return object{
			"colorMode": "background_solid", "graphMode": "none", "justifyMode": "center", "orientation": "auto", "textMode": "auto", "wideLayout": true,
			"showPercentChange": false, "percentChangeColorMode": "standard", "reduceOptions": last,
		}
	case bars:
		return object{
			"displayMode": "basic", "orientation": "horizontal", "valueMode": "color", "namePlacement": "left", "showUnfilled": true, "sizing": "auto",
			"minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 32, "reduceOptions": last,
			"legend": object{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		}
	case graph:
		return object{
			"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	case table:
		return object{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}
	case lines:
		return object{
			"showTime": true, "showLabels": false, "showCommonLabels": false, "wrapLogMessage": true, "prettifyLogMessage": false,
			"enableLogDetails": true, "showLogContextToggle": true, "dedupStrategy": "none", "sortOrder": "Descending",
		}
	}
	return object{}
}

// overrides: a table's columns with text have neither a unit nor a colour.
func (p panel) overrides() []object {
	all := []object{}
	if p.kind == table {
		for _, c := range p.columns {
			if c.label != value {
				all = append(all, object{
					"matcher":    object{"id": "byName", "options": c.title},
					"properties": []object{{"id": "unit", "value": "string"}, {"id": "color", "value": object{"mode": "fixed", "fixedColor": "text"}}},
				})
			}
		}
	}
	return all
}

// value is the name of what a series says, beside its labels.
const value = "Value"

// organized shows a table's columns, in their order, and nothing else.
func (p panel) organized() object {
	order, names, hidden := object{}, object{}, object{"Time": true, "__name__": true}
	for i, c := range p.columns {
		order[c.label], names[c.label] = i, c.title
	}
	if _, shown := names[value]; !shown {
		hidden[value] = true
	}
	return object{"indexByName": order, "renameByName": names, "excludeByName": hidden, "includeByName": object{}}
}
