package outputs

import (
	"context"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PlatformOutput is a Platform that is known once the other stack was read.
type PlatformOutput struct{ *pulumi.OutputState }

// ElementType is what an output of this type holds.
func (PlatformOutput) ElementType() reflect.Type { return reflect.TypeFor[Platform]() }

// ToPlatformOutput is the output itself.
func (o PlatformOutput) ToPlatformOutput() PlatformOutput { return o }

// ToPlatformOutputWithContext is the output itself.
func (o PlatformOutput) ToPlatformOutputWithContext(context.Context) PlatformOutput { return o }

func init() { pulumi.RegisterOutputType(PlatformOutput{}) }
