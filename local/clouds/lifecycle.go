package clouds

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"github.com/alphapulse/infrastructure/local/inventory"
)

func typeOf(token string) (*Type, error) {
	t, ok := types[token]
	if !ok {
		return nil, fmt.Errorf("resource type %s is not modelled by the local engine", token)
	}
	return t, nil
}

func (p *Provider) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	t, err := typeOf(string(req.URN.Type()))
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if req.Preview {
		return plugin.CreateResponse{Properties: t.preview(req.Properties, nil)}, nil
	}
	r := inventory.Record{Type: token(t.Name), Inputs: plainMap(req.Properties)}
	if err := p.create(ctx, t, &r); err != nil {
		return plugin.CreateResponse{}, fmt.Errorf("creating %s %q: %w", t.Name, req.URN.Name(), err)
	}
	return plugin.CreateResponse{ID: resource.ID(r.ID), Properties: wrap(r.Outputs, req.Properties)}, nil
}

func (p *Provider) create(ctx context.Context, t *Type, r *inventory.Record) error {
	if err := p.begin(t, r); err != nil {
		return err
	}
	if t.create == nil {
		return nil
	}
	if err := t.create(ctx, p, r); err != nil { // without the lock: it may take a minute
		return err
	}
	return p.put(*r)
}

// begin checks what the inventory can tell, and sets the record's id and outputs.
func (p *Provider) begin(t *Type, r *inventory.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.mustExist(t, r.Inputs); err != nil {
		return err
	}
	if err := p.mustBeNew(t, r.Inputs); err != nil {
		return err
	}
	id, err := p.expand(t, t.ID, *r, rand.Text())
	if err != nil {
		return err
	}
	r.ID = fmt.Sprint(id)
	if err := p.setOutputs(t, r, nil); err != nil {
		return err
	}
	if t.admit != nil {
		if err := t.admit(p, r); err != nil {
			return err
		}
	}
	if t.create == nil {
		return p.put(*r) // before the lock is gone, or two could have one name
	}
	return nil
}

// preview is what is known of the outputs before the deployment: the inputs, and what the resource has already.
func (t *Type) preview(inputs, before resource.PropertyMap) resource.PropertyMap {
	out := inputs.Copy()
	delete(out, "__defaults")
	for _, o := range t.outs() {
		path, err := resource.ParsePropertyPath(o[0])
		if err != nil {
			panic(err) // a mistake in a table
		}
		root := resource.NewProperty(out)
		if _, given := path.Get(root); given {
			continue
		}
		v, known := path.Get(resource.NewProperty(before))
		if !known {
			v = resource.MakeComputed(resource.NewProperty(""))
		}
		if next, ok := path.Add(root, v); ok {
			out = next.ObjectValue()
		}
	}
	return out
}

// Read answers from the inventory: a record that was removed is gone, one that was edited has drifted.
func (p *Provider) Read(ctx context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	t, err := typeOf(string(req.URN.Type()))
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	r, ok, err := p.get(token(t.Name), string(req.ID))
	if err != nil || !ok {
		return plugin.ReadResponse{}, err
	}
	before := r.Outputs
	if err := p.setOutputs(t, &r, before); err != nil {
		return plugin.ReadResponse{}, err
	}
	inputs := wrap(r.Inputs, req.Inputs, req.State)
	if madeUp, ok := req.Inputs["__defaults"]; ok {
		inputs["__defaults"] = madeUp
	}
	return plugin.ReadResponse{
		ReadResult: plugin.ReadResult{ID: req.ID, Inputs: inputs, Outputs: wrap(r.Outputs, req.Inputs, req.State)},
		Status:     resource.StatusOK,
	}, nil
}

func (p *Provider) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	t, err := typeOf(string(req.URN.Type()))
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	if req.Preview {
		out := t.preview(req.NewInputs, req.OldOutputs)
		for _, moved := range strings.Fields(t.Moves) {
			out[resource.PropertyKey(moved)] = resource.MakeComputed(resource.NewProperty(""))
		}
		return plugin.UpdateResponse{Properties: out}, nil
	}
	r, err := p.update(ctx, t, string(req.ID), plainMap(req.NewInputs))
	if err != nil {
		return plugin.UpdateResponse{}, fmt.Errorf("updating %s %q: %w", t.Name, req.ID, err)
	}
	return plugin.UpdateResponse{Properties: wrap(r.Outputs, req.NewInputs), Status: resource.StatusOK}, nil
}

func (p *Provider) update(ctx context.Context, t *Type, id string, inputs map[string]any) (inventory.Record, error) {
	old, ok, err := p.get(token(t.Name), id)
	if err != nil {
		return old, err
	}
	if !ok {
		return old, apiError(t.missing(), "the %s %q does not exist", t.short(), id)
	}
	if err := p.mustExist(t, inputs); err != nil {
		return old, err
	}
	r := inventory.Record{Type: old.Type, ID: id, Inputs: inputs}
	if err := p.setOutputs(t, &r, old.Outputs); err != nil {
		return old, err
	}
	if t.update != nil {
		if err := t.update(ctx, p, old, &r); err != nil {
			return old, err
		}
	}
	if t.admit == nil {
		return r, p.put(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := t.admit(p, &r); err != nil {
		return old, err
	}
	return r, p.put(r)
}

func (p *Provider) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	t, err := typeOf(string(req.URN.Type()))
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	r, ok, err := p.get(token(t.Name), string(req.ID))
	if err != nil || !ok { // what is gone is deleted
		return plugin.DeleteResponse{}, err
	}
	if err := p.delete(ctx, t, r); err != nil {
		return plugin.DeleteResponse{}, fmt.Errorf("deleting %s %q: %w", t.Name, req.ID, err)
	}
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

func (p *Provider) delete(ctx context.Context, t *Type, r inventory.Record) error {
	owned, err := p.dependents(t, r)
	if err != nil {
		return err
	}
	if t.delete != nil {
		if err := t.delete(ctx, p, r); err != nil {
			return err
		}
	}
	for _, o := range owned {
		if err := p.remove(o); err != nil {
			return err
		}
	}
	return p.remove(r)
}
